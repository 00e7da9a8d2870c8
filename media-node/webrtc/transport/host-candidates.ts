import { isIPv4, isIPv6 } from "node:net";
import type { networkInterfaces } from "node:os";

export type HostOptions = {
	/** Whether the addresses of the interfaces of this machine are told. */
	readonly fromInterfaces: boolean;
	/** Of these interfaces only; empty: of all. */
	readonly interfaces: readonly string[];
	/** More addresses or names by which this machine is reached. */
	readonly additionalHosts: readonly string[];
};

/** A socket that waits for peers. `host` is the address that it is bound to, empty for all of them. */
export type HostPort = {
	readonly transport: "udp" | "tcp";
	readonly host: string;
	readonly port: number;
	readonly isV6: boolean;
};

type Interfaces = ReturnType<typeof networkInterfaces>;

/** Type preferences of RFC 8445 §5.1.2.2 and, below all of UDP, RFC 6544 §4.2. */
const TYPE_PREFERENCE = { udp: 126, tcp: 90 } as const;
const MAX_HOSTS = 32;

/** The addresses at which peers reach a port, the best first. Those that hold on one link only are left out. */
export function hostAddresses(
	options: HostOptions,
	{ host, isV6 }: HostPort,
	interfaces: Interfaces,
): readonly string[] {
	const isAny = host === "" || host === "::" || host === "0.0.0.0";
	const own = Object.entries(interfaces)
		.filter(([name]) => options.interfaces.length === 0 || options.interfaces.includes(name))
		.flatMap(([, addresses]) => addresses ?? [])
		.filter(({ address }) => isAny || address === host)
		.filter(({ address }) => isV6 || isIPv4(address))
		// A socket that is bound to every address of IPv6 has those of IPv4 too.
		.filter(({ address }) => !/^fe[89ab]/i.test(address));
	const far = own.filter(({ internal }) => !internal);
	const near = own.filter(({ internal }) => internal);
	const told = options.fromInterfaces ? [...far, ...near].map(({ address }) => address) : [];
	return [...new Set([...options.additionalHosts, ...told])].slice(0, MAX_HOSTS);
}

/** The candidates of all ports, without `a=`. RFC 8839 §5.1, RFC 6544 §4.5. */
export function hostCandidates(
	options: HostOptions,
	ports: readonly HostPort[],
	interfaces: Interfaces,
): readonly string[] {
	return ports.flatMap((port) =>
		hostAddresses(options, port, interfaces).map((address, at) => {
			const { transport } = port;
			const foundation = `${transport}${isIPv6(address) ? 6 : 4}${at}`;
			// 2^13 * 4: the passive side of TCP. RFC 6544 §4.2.
			const local = (transport === "udp" ? 0xffff : 0x8fff) - at;
			const priority = TYPE_PREFERENCE[transport] * 2 ** 24 + local * 2 ** 8 + 255;
			const line = `candidate:${foundation} 1 ${transport} ${priority} ${address} ${port.port} typ host`;
			return transport === "tcp" ? `${line} tcptype passive` : line;
		}),
	);
}
