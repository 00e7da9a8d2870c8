/** Who asks, where proxies stand in front. Pure. */

import { isIP } from "node:net";
import { unmapped } from "#shared/access/ip-range.ts";
import { Networks } from "../networks.ts";

/** A chain of proxies is shorter. */
const MAX_HOPS = 32;

/** Tells clients' addresses from connections' addresses. */
export class ClientAddress {
	readonly #trusted: Networks;

	/** `trustedProxies`: addresses and networks, as the schema has accepted them. */
	constructor(trustedProxies: readonly string[]) {
		this.#trusted = new Networks(trustedProxies);
	}

	/**
	 * The client, by the address of the connection and `X-Forwarded-For`: from its end, the first that is no trusted
	 * proxy. What is no address is not believed, nor anything before it.
	 */
	of(peer: string, forwardedFor: string): string {
		let client = unmapped(peer);
		for (const hop of forwardedFor.split(",").slice(-MAX_HOPS).reverse()) {
			const address = unmapped(hop.trim());
			if (isIP(address) === 0 || !this.#trusted.has(client)) break;
			client = address;
		}
		return client;
	}
}
