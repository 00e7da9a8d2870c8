/** A listening address. An empty host means every interface, IPv4 and IPv6. */
export type Address = { readonly host: string; readonly port: number };

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/;

/** Reads `host:port`, `[ipv6]:port` or `:port`. `null` if it is none. */
export function parseAddress(text: string): Address | null {
	const match = ADDRESS.exec(text);
	if (match === null) return null;
	const port = Number(match[3]);
	return port <= 65_535 ? { host: match[1] ?? match[2] ?? "", port } : null;
}

/** The address that the schema has accepted. */
export function addressOf(text: string): Address {
	const address = parseAddress(text);
	if (address === null) throw new TypeError(`Cannot read address: current value is ${JSON.stringify(text)}`);
	return address;
}
