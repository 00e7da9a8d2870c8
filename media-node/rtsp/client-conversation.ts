/** A conversation with one server: who we are to it, which session it gave us, and what it says to what we ask. */

import { abortedError, type Clock } from "#shared/clock.ts";
import { DeniedError, ProtocolError, type SluiceError } from "#shared/problem.ts";
import { socketChannel } from "./byte-channel.ts";
import { ClientAuth } from "./client-auth.ts";
import { ClientConnection } from "./client-connection.ts";
import { type ClientRequest, writeRequest } from "./client-request.ts";
import { openSocket, type ServerNoun, type SocketTarget } from "./client-socket.ts";
import { parseSessionHeader, type SessionHeader } from "./client-transport.ts";
import { openHttpTunnel } from "./client-tunnel.ts";
import { openWebSocket } from "./client-websocket.ts";
import type { RtspResponseMessage } from "./message.ts";
import type { SourceUrl } from "./source-url.ts";

export type ConversationOptions = {
	readonly noun?: ServerNoun;
	readonly fingerprint: string;
	readonly clock: Clock;
	/** For a connection, and for an answer. */
	readonly timeoutMs: number;
	/** Stops what waits. It does not end the conversation: there is still a TEARDOWN to say. */
	readonly signal: AbortSignal;
};

const OPENERS = { http: openHttpTunnel, websocket: openWebSocket } as const;

const DEFAULT_SESSION_TIMEOUT_MS = 60_000;
/** How often credentials are shown for one request: after the question, and once more when a nonce was stale. */
const MAX_ATTEMPTS = 3;
/** How long a server may take to take note of the end. */
const TEARDOWN_MS = 1_000;

export class ClientConversation implements AsyncDisposable {
	readonly url: SourceUrl;
	readonly connection: ClientConnection;
	readonly #auth: ClientAuth;
	readonly #options: ConversationOptions;
	#session: string | null = null;
	/** How long the server keeps a session of which it hears nothing. RFC 2326 §12.37. */
	#sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS;
	/** Where a TEARDOWN goes; `null` while there is nothing to end. */
	#aggregateUrl: string | null = null;
	#closing: Promise<void> | null = null;

	private constructor(url: SourceUrl, connection: ClientConnection, auth: ClientAuth, options: ConversationOptions) {
		this.url = url;
		this.connection = connection;
		this.#auth = auth;
		this.#options = options;
	}

	/** @throws what {@link openSocket}, {@link openHttpTunnel} and {@link openWebSocket} throw */
	static async open(url: SourceUrl, options: ConversationOptions): Promise<ClientConversation> {
		const { host, port, isTls, tunnel } = url;
		const { fingerprint, clock, timeoutMs, signal, noun = "source" } = options;
		const auth = new ClientAuth(url);
		const target: SocketTarget = { host, port, isTls, fingerprint, clock, timeoutMs, noun };
		const channel =
			tunnel === "none"
				? socketChannel(await openSocket(target, signal))
				: await OPENERS[tunnel]({ url, target, auth: new ClientAuth(url) }, signal);
		return new ClientConversation(url, new ClientConnection(channel, clock, noun), auth, options);
	}

	/** How long the server keeps a session of which it hears nothing. */
	get sessionTimeoutMs(): number {
		return this.#sessionTimeoutMs;
	}

	/**
	 * Asks, with credentials if the server wants them, and gives any answer but a 401.
	 * @throws DeniedError `access.credentials`; ProtocolError `rtsp.timeout`; GoneError `session.closed`, `aborted`
	 */
	async ask(request: ClientRequest): Promise<RtspResponseMessage> {
		return this.#ask(request, this.#options.timeoutMs, this.#options.signal);
	}

	/** Says that there is a session from now on, which is to be ended with the conversation. */
	begin(aggregateUrl: string): void {
		this.#aggregateUrl = aggregateUrl;
	}

	/** Ends the session, if there is one, and the connection. Waits for the server for a second at most. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		this.connection.handle(null);
		if (this.#aggregateUrl !== null && this.#session !== null) {
			const end = new AbortController();
			const timer = this.#options.clock.after(TEARDOWN_MS, () => end.abort());
			try {
				await this.#ask({ method: "TEARDOWN", url: this.#aggregateUrl }, TEARDOWN_MS, end.signal);
			} catch {
				// Whatever the server makes of it, we leave.
			} finally {
				timer[Symbol.dispose]();
			}
		}
		this.connection.close();
	}

	async #ask(request: ClientRequest, timeoutMs: number, signal: AbortSignal): Promise<RtspResponseMessage> {
		for (let attempt = 1; ; attempt++) {
			const authorization = this.#auth.authorization(request.method, request.url);
			const session = this.#session;
			const response = await abortable(
				this.connection.request(
					request.method,
					(cseq) => writeRequest(request, { cseq, session, authorization }),
					timeoutMs,
				),
				signal,
			);
			if (response.status !== 401) {
				if (response.status === 200) this.#keepSession(parseSessionHeader(response.headers.get("session")));
				return response;
			}
			const challenge = this.#auth.challenged(response.headers.get("www-authenticate") ?? "");
			if (challenge === "unknown" || !this.#auth.hasUser) throw this.#denied(challenge === "unknown");
			// What failed at first may have been made with an old nonce, by a server that does not say so.
			const isWrong = authorization !== null && challenge !== "stale" && attempt > 1;
			if (isWrong || attempt >= MAX_ATTEMPTS) throw this.#denied(false);
		}
	}

	#keepSession(header: SessionHeader | null): void {
		if (header === null) return;
		this.#session = header.id;
		// Only some answers say it.
		if (header.timeoutS !== null) this.#sessionTimeoutMs = header.timeoutS * 1000;
	}

	#denied(isUnknown: boolean): DeniedError {
		const where = `${this.#options.noun ?? "source"} at ${this.url.host}:${this.url.port}`;
		if (isUnknown) {
			return new DeniedError(
				"access.credentials",
				`The ${where} asks for credentials in a way that is not known; Basic and Digest are`,
			);
		}
		return new DeniedError(
			"access.credentials",
			this.#auth.hasUser
				? `The ${where} does not take the user and password of its URL`
				: `The ${where} asks for credentials: put them into its URL, as rtsp://user:password@host/path`,
		);
	}
}

/** What a status that is not 200 means for a source. */
export function refusal(method: string, { status }: RtspResponseMessage): SluiceError {
	const message = `The source answered ${method} with status ${status}`;
	switch (status) {
		case 403:
			return new DeniedError("access.forbidden", `${message}: its user may not do this`);
		case 404:
		case 410:
			return new ProtocolError("source.unreachable", `${message}: there is nothing at the path of its URL`);
		case 453:
		case 503:
			return new ProtocolError(
				"source.unreachable",
				`${message}: it has no room for one more reader, or no stream now`,
			);
		case 461:
			return new ProtocolError("rtsp.transport", `${message}: it does not send this way; set rtspTransport to another`);
		default:
			return new ProtocolError("rtsp.state", message);
	}
}

/** @throws GoneError `aborted` as soon as the signal fires */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		const onAbort = () => reject(abortedError(signal));
		if (signal.aborted) onAbort();
		signal.addEventListener("abort", onAbort, { once: true });
		promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
	});
}
