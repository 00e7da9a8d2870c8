import { shellQuote } from "../path/shell-quote.ts";

export type Join = {
	/** Where the functions are, without a slash at the end. */
	readonly control: string;
	readonly key: string;
	/** Empty: the node does not say. */
	readonly region: string;
	/** How publishers and viewers reach the machine; empty: they find it where the functions are. */
	readonly publicHost: string;
};

/** The command that makes the machine on which it runs a media node. */
export function joinCommand({ control, key, region, publicHost }: Join): string {
	const options = [
		["--control", control],
		["--key", key],
		["--region", region],
		["--public-host", publicHost],
	]
		.filter(([, value]) => value !== "")
		.map(([name, value]) => `${name} ${shellQuote(value ?? "")}`);
	return `npx sluice join ${options.join(" ")}`;
}

/** What is wrong with the name of a region; `null`: nothing. */
export function regionFault(region: string): string | null {
	return /^[0-9A-Za-z_-]{0,32}$/.test(region) ? null : "At most 32 letters, digits, _ or -";
}

/** What is wrong with the name or address of a machine; `null`: nothing. */
export function hostFault(host: string): string | null {
	return /^[0-9A-Za-z.:[\]_-]{0,253}$/.test(host) ? null : "A name such as node1.example, or an IP address";
}
