/** Sends webhooks from Node.js, where a private network may be within reach: every address is checked as it is connected to. */

import dns from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { retryAfterOf, type WebhookTransport } from "./webhooks/transport.ts";
import { isPublicAddress } from "./webhooks/url-guard.ts";

export type NodeTransportOptions = {
	/** Addresses of this machine and its network are allowed. */
	readonly allowInsecure: boolean;
	readonly now: () => number;
};

export function nodeTransport({ allowInsecure, now }: NodeTransportOptions): WebhookTransport {
	return {
		send(url, headers, body, timeoutMs) {
			return new Promise((resolve, reject) => {
				const { request } = url.startsWith("https:") ? https : http;
				const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
				// An address is not looked up, so that nobody else would check it.
				if (!allowInsecure && isIP(host) !== 0 && !isPublicAddress(host)) {
					reject(new Error(`${host} is a private or local address`));
					return;
				}
				const signal = AbortSignal.timeout(timeoutMs);
				const outgoing = request(url, {
					method: "POST",
					headers: { ...headers, "content-length": String(new TextEncoder().encode(body).length) },
					// A connection of its own: one that was checked for another name must not serve.
					agent: false,
					signal,
					...(allowInsecure ? {} : { lookup: publicLookup }),
				});
				outgoing.on("error", (error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error));
				outgoing.on("response", (response) => {
					const { statusCode = 0, headers: answered } = response;
					resolve({ status: statusCode, retryAfterS: retryAfterOf(answered["retry-after"] ?? null, now()) });
					// What it says is of no interest, and may be endless.
					response.destroy();
				});
				outgoing.end(body);
			});
		},
	};
}

/** Resolves a name to its public addresses only, for the very connection that is made. */
const publicLookup: typeof dns.lookup = ((
	hostname: string,
	options: dns.LookupOptions,
	callback: (...args: unknown[]) => void,
) => {
	dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
		if (error !== null) {
			callback(error);
			return;
		}
		const open = addresses.filter(({ address }) => isPublicAddress(address));
		const [first] = open;
		if (first === undefined) callback(new Error(`${hostname} leads to a private or local address`));
		else if (options.all === true) callback(null, open);
		else callback(null, first.address, first.family);
	});
}) as typeof dns.lookup;
