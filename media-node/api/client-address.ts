/** Who asks, where proxies stand in front. Pure. */

import { BlockList, isIP, isIPv4 } from "node:net";
import { parseNetwork } from "../access/user.ts";

/** A chain of proxies is shorter. */
const MAX_HOPS = 32;

/** Tells clients' addresses from connections' addresses. */
export class ClientAddress {
	readonly #trusted = new BlockList();

	/** `trustedProxies`: addresses and networks, as the schema has accepted them. */
	constructor(trustedProxies: readonly string[]) {
		for (const text of trustedProxies) {
			const network = parseNetwork(text);
			if (network !== null) this.#trusted.addSubnet(network.address, network.prefix, network.family);
		}
	}

	/**
	 * The client, by the address of the connection and `X-Forwarded-For`: from its end, the first that is no trusted
	 * proxy. What is no address is not believed, nor anything before it.
	 */
	of(peer: string, forwardedFor: string): string {
		let client = unmapped(peer);
		for (const hop of forwardedFor.split(",").slice(-MAX_HOPS).reverse()) {
			const address = unmapped(hop.trim());
			if (isIP(address) === 0 || !this.#isTrusted(client)) break;
			client = address;
		}
		return client;
	}

	#isTrusted(address: string): boolean {
		const version = isIP(address);
		return version !== 0 && this.#trusted.check(address, version === 4 ? "ipv4" : "ipv6");
	}
}

/** An IPv4 address that an IPv6 socket shows, RFC 4291 §2.5.5.2, as itself. */
function unmapped(address: string): string {
	const rest = address.slice("::ffff:".length);
	return address.toLowerCase().startsWith("::ffff:") && isIPv4(rest) ? rest : address;
}
