/** HTTP(S) requests to servers of the configuration, some of which are known by the fingerprint of their certificate. */

import { createHash, timingSafeEqual } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { abortedError } from "#shared/clock.ts";
import { InputError, StoreError } from "#shared/problem.ts";

/** How long a connection may stay silent, be it in the middle of a handshake or of an answer. */
const MAX_SILENCE_MS = 30_000;
/** How many idle connections are kept for the next request. */
const MAX_IDLE_CONNECTIONS = 8;

/** Says whether the SHA-256 of a certificate (DER) is `hex`, in any case and with or without colons. Never throws. */
export function matchesFingerprint(certificate: Uint8Array, hex: string): boolean {
	const expected = hex.replaceAll(":", "");
	if (!/^[0-9a-f]{64}$/i.test(expected)) return false;
	return timingSafeEqual(createHash("sha256").update(certificate).digest(), Buffer.from(expected, "hex"));
}

export type PinnedServer = {
	readonly url: string;
	/** SHA-256 of the certificate, in hex; empty: the certificate must be one that this machine trusts. */
	readonly fingerprint: string;
};

/**
 * Makes the agent that keeps the connections to one server. Destroy it when done.
 * @throws InputError `config.invalid` if the address is not HTTP(S), or has a fingerprint without HTTPS
 */
export function createPinnedAgent({ url, fingerprint }: PinnedServer): http.Agent {
	const protocol = URL.canParse(url) ? new URL(url).protocol : "";
	if (protocol !== "http:" && protocol !== "https:") {
		throw new InputError("config.invalid", "The address of a server must start with http:// or https://");
	}
	const options = { keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, timeout: MAX_SILENCE_MS };
	if (fingerprint === "") return protocol === "https:" ? new https.Agent(options) : new http.Agent(options);
	if (protocol === "http:") {
		throw new InputError(
			"config.invalid",
			`${originOf(url)} has a fingerprint, which only https:// addresses can have`,
		);
	}
	return new FingerprintAgent(fingerprint, options);
}

/** Hands a connection out, and with that lets anything be sent, only after it has seen the certificate. */
class FingerprintAgent extends https.Agent {
	readonly #fingerprint: string;
	readonly #connecting = new Set<TLSSocket>();

	constructor(fingerprint: string, options: https.AgentOptions) {
		super(options);
		this.#fingerprint = fingerprint;
	}

	override createConnection(
		options: https.RequestOptions,
		callback?: (error: Error | null, socket: Duplex) => void,
	): Duplex | null | undefined {
		const host = options.host ?? "localhost";
		const socket = connect({
			host,
			port: Number(options.port ?? 443),
			...(isIP(host) === 0 ? { servername: host } : {}),
			// The fingerprint is what is trusted, instead of who signed.
			rejectUnauthorized: false,
		});
		let isDone = false;
		const done = (error: Error | null) => {
			if (isDone) return;
			isDone = true;
			this.#connecting.delete(socket);
			socket.setTimeout(0);
			if (error !== null) socket.destroy();
			callback?.(error, socket);
		};
		this.#connecting.add(socket);
		socket.setTimeout(MAX_SILENCE_MS, () => done(new Error("it went silent in the TLS handshake")));
		socket.on("error", done);
		socket.once("close", () => done(new Error("it closed the connection in the TLS handshake")));
		socket.once("secureConnect", () => {
			const raw = socket.getPeerCertificate().raw as Uint8Array | undefined;
			const isIt = raw !== undefined && matchesFingerprint(raw, this.#fingerprint);
			done(isIt ? null : new Error("its certificate does not have the configured fingerprint"));
		});
		return undefined;
	}

	override destroy(): void {
		for (const socket of this.#connecting) socket.destroy();
		super.destroy();
	}
}

export type PinnedRequest = {
	readonly fingerprint: string;
	/** Of {@link createPinnedAgent} for the same server, to keep connections; without it the request has its own. */
	readonly agent?: http.Agent;
	readonly signal?: AbortSignal | undefined;
	/** `GET` by default. */
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array;
	/** How much of an answer is read. */
	readonly maxBytes: number;
	/** Which answers have a body worth waiting for; all by default. The others give an empty one at once. */
	readonly wantsBody?: (status: number) => boolean;
};

export type PinnedResponse = {
	readonly status: number;
	/** At most `maxBytes`. */
	readonly body: Uint8Array;
	/** There was more than `maxBytes`. */
	readonly isCut: boolean;
};

/**
 * Asks a server, and follows no redirect. With a fingerprint nothing is sent before the certificate has it.
 * @throws StoreError `store.unavailable` if it cannot be asked
 * @throws GoneError `aborted`
 * @throws InputError `config.invalid`
 */
export async function fetchPinned(url: string, request: PinnedRequest): Promise<PinnedResponse> {
	const { agent, fingerprint } = request;
	if (agent !== undefined) {
		const response = await attempt(url, request, agent);
		if (response !== "ended") return response;
	}
	const own = createPinnedAgent({ url, fingerprint });
	try {
		const response = await attempt(url, request, own);
		if (response !== "ended") return response;
		throw unavailable(url, new Error("it closed the connection"));
	} finally {
		own.destroy();
	}
}

/** `ended`: a connection that was kept ended when it was used again, as idle ones do: the request can be made again. */
function attempt(url: string, request: PinnedRequest, agent: http.Agent): Promise<PinnedResponse | "ended"> {
	const { signal, method = "GET", headers = {}, body, maxBytes, wantsBody = () => true } = request;
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(abortedError(signal));
			return;
		}
		const target = new URL(url);
		const asking = (target.protocol === "https:" ? https : http).request(target, { agent, method, headers });
		const stop = () => {
			reject(abortedError(signal));
			asking.destroy();
		};
		signal?.addEventListener("abort", stop, { once: true });
		asking.once("close", () => signal?.removeEventListener("abort", stop));
		asking.setTimeout(MAX_SILENCE_MS, () => asking.destroy(new Error("it went silent")));
		asking.on("error", (error: NodeJS.ErrnoException) => {
			if (asking.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE")) resolve("ended");
			else reject(unavailable(url, error));
		});
		asking.once("response", (response) => {
			const status = response.statusCode ?? 0;
			const chunks: Uint8Array[] = [];
			let length = 0;
			const end = () => {
				const read = Buffer.concat(chunks);
				resolve({ status, body: read.subarray(0, maxBytes), isCut: length > maxBytes });
			};
			if (!wantsBody(status)) end();
			response.on("data", (chunk: Uint8Array) => {
				length += chunk.length;
				chunks.push(chunk);
				if (length <= maxBytes) return;
				end();
				asking.destroy();
			});
			response.once("end", end);
			response.on("error", (error) => reject(unavailable(url, error)));
		});
		asking.end(body);
	});
}

function unavailable(url: string, cause: NodeJS.ErrnoException): StoreError {
	const why = cause.message === "" ? (cause.code ?? "it cannot be reached") : cause.message;
	return new StoreError("store.unavailable", `The server at ${originOf(url)} cannot be asked: ${why}`, { cause });
}

/** Without user, path and query, which may hold secrets. */
function originOf(url: string): string {
	return URL.canParse(url) ? new URL(url).origin : "an address that is none";
}
