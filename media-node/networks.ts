import { BlockList, isIP } from "node:net";
import { InputError } from "#shared/problem.ts";

/** A set of addresses and networks, as settings write them. */
export class Networks {
	readonly #list = new BlockList();

	/** @throws InputError `config.invalid` for a text that is neither an address nor a network in CIDR notation */
	constructor(texts: readonly string[]) {
		for (const text of texts) {
			const network = parseNetwork(text);
			if (network === null) {
				throw new InputError(
					"config.invalid",
					`${JSON.stringify(text)} is neither an address nor a network such as 10.0.0.0/8`,
				);
			}
			this.#list.addSubnet(network.address, network.prefix, network.family);
		}
	}

	/** Sees an IPv4 address behind its IPv6 form as the one that it is. What is no address is in no network. */
	has(address: string): boolean {
		const version = isIP(address);
		return version !== 0 && this.#list.check(address, version === 4 ? "ipv4" : "ipv6");
	}
}

type Network = { readonly address: string; readonly prefix: number; readonly family: "ipv4" | "ipv6" };

/** Reads an address or a network in CIDR notation; `null` if it is neither. */
export function parseNetwork(text: string): Network | null {
	const [address = "", prefixText, ...rest] = text.split("/");
	const version = isIP(address);
	if (version === 0 || rest.length > 0 || address.includes("%")) return null;
	const bits = version === 4 ? 32 : 128;
	if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return null;
	const prefix = prefixText === undefined ? bits : Number(prefixText);
	return prefix > bits ? null : { address, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}
