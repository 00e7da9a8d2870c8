/** What the processes of the load bench agree on. */

import type { SigningKey } from "#shared/access/signing-key.ts";

/** To the server, once: it answers with {@link LoadServerReady}, and then each message with {@link LoadServerReply}. */
export type LoadServerStart = { readonly signingKeys: readonly SigningKey[] };
/** `hello`: a route of Hono that says hello, by the same HTTP server in the same process. */
export type LoadServerReady = { readonly port: number; readonly helloPort: number };
export type LoadServerReply = { readonly cpuSeconds: number; readonly reads: number };

/** Requests for `targets`, one after the other, over and over. Ends after so many, or after some time. */
export type LoadCommand = {
	readonly port: number;
	readonly targets: readonly string[];
	/** Each has one request under way. */
	readonly connections: number;
	/** `atOnce`: the next as soon as one is answered. A number: so many a second, however long the answers take. */
	readonly rate: "atOnce" | number;
	readonly requests: number;
	readonly ms: number;
};
export type LoadReply = {
	readonly answers: number;
	/** Those that were not 200, with the body of the first one. */
	readonly failures: number;
	readonly failure: string | null;
	readonly seconds: number;
	/** Milliseconds from when a request was due until its answer was there. */
	readonly latencies: { readonly p50: number; readonly p99: number };
	readonly cpuSeconds: number;
};
