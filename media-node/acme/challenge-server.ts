/** Answers challenges of the type http-01, RFC 8555 §8.3, and nothing else. */

import type { Clock } from "#shared/clock.ts";
import { HttpServer } from "../http/http-server.ts";
import type { Logger } from "../log.ts";

const PREFIX = "/.well-known/acme-challenge/";
const TIMEOUT_MS = 10_000;

export type ChallengeServerOptions = { readonly address: string; readonly clock: Clock; readonly log: Logger };

export class ChallengeServer implements AsyncDisposable {
	readonly #server: HttpServer;
	readonly #shown: Map<string, string>;

	private constructor(server: HttpServer, shown: Map<string, string>) {
		this.#server = server;
		this.#shown = shown;
	}

	/** @throws InputError `listen.in_use`, `config.invalid` */
	static async open({ address, clock, log }: ChallengeServerOptions): Promise<ChallengeServer> {
		const shown = new Map<string, string>();
		const server = await HttpServer.open({
			prefix: "acme",
			address,
			certificate: null,
			allowOrigins: [],
			trustedProxies: [],
			readTimeoutMs: TIMEOUT_MS,
			writeTimeoutMs: TIMEOUT_MS,
			cors: { methods: "", headers: "" },
			clock,
			log,
			handle: async ({ path }) => {
				const text = path.startsWith(PREFIX) ? shown.get(path.slice(PREFIX.length)) : undefined;
				if (text === undefined) return { status: 404, body: "" };
				return { status: 200, headers: { "content-type": "application/octet-stream" }, body: text };
			},
		});
		return new ChallengeServer(server, shown);
	}

	show(token: string, text: string): void {
		this.#shown.set(token, text);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#server[Symbol.asyncDispose]();
	}
}
