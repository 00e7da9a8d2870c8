/** Sends webhooks from Node.js, where a private network may be within reach: every address is checked as it is connected to. */

import dns from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { InputError } from "#shared/problem.ts";
import {
	ANSWER_MS,
	beginningOf,
	lengthOf,
	MAX_ANSWER_BYTES,
	retryAfterOf,
	type WebhookTransport,
} from "./webhooks/transport.ts";
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
					reject(new InputError("input.invalid", `${host} is a private or local address`));
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
				let isAnswered = false;
				outgoing.on("error", (error) => {
					// Its status was there before: the end of a body decides nothing.
					if (!isAnswered) reject(signal.aborted ? new TimeoutError(`no answer within ${timeoutMs} ms`) : error);
				});
				outgoing.on("response", (response) => {
					isAnswered = true;
					const { statusCode = 0, headers: answered } = response;
					void readBeginning(response).then((beginning) =>
						resolve({
							status: statusCode,
							retryAfterS: retryAfterOf(answered["retry-after"] ?? null, now()),
							beginning,
						}),
					);
				});
				outgoing.end(body);
			});
		},
	};
}

/** As that of an `AbortSignal` that ran out. */
class TimeoutError extends Error {
	override name = "TimeoutError";
}

/** Never fails: what is missing of an answer is of no consequence. Nothing more is read then, since it may be endless. */
function readBeginning(response: http.IncomingMessage): Promise<Uint8Array> {
	return new Promise((resolve) => {
		const chunks: Uint8Array[] = [];
		const late = AbortSignal.timeout(ANSWER_MS);
		const finish = () => {
			late.removeEventListener("abort", finish);
			resolve(beginningOf(chunks));
			response.destroy();
		};
		late.addEventListener("abort", finish, { once: true });
		response.on("data", (chunk: Uint8Array) => {
			chunks.push(chunk);
			if (lengthOf(chunks) >= MAX_ANSWER_BYTES) finish();
		});
		response.on("error", finish);
		response.on("close", finish);
	});
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
		if (first === undefined)
			callback(new InputError("input.invalid", `${hostname} leads to a private or local address`));
		else if (options.all === true) callback(null, open);
		else callback(null, first.address, first.family);
	});
}) as typeof dns.lookup;
