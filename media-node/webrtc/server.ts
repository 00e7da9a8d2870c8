/** The WebRTC server: the sockets of media, the sessions, and the HTTP server that begins them. */

import type { Clock } from "#shared/clock.ts";
import { InputError } from "#shared/problem.ts";
import type { Authenticator } from "../access/access.ts";
import { httpCredentials } from "../http/http-credentials.ts";
import type { HttpServer, HttpServerSettings } from "../http/http-server.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath, StreamTable } from "../stream/publication.ts";
import type { PeerSnapshot } from "./peer-session.ts";
import { Sessions } from "./sessions.ts";
import { type EndpointOptions, WebRtcEndpoint } from "./transport/endpoint.ts";
import { Pages } from "./whip/pages.ts";
import type { IceServer } from "./whip/turn-credentials.ts";
import { WhipRoutes } from "./whip/whip-routes.ts";
import { openWhipServer } from "./whip/whip-server.ts";

export type WebRtcServerSettings = Omit<EndpointOptions, "clock" | "log"> & {
	readonly http: HttpServerSettings;
	readonly iceServers: readonly IceServer[];
};

export type WebRtcServerOptions = WebRtcServerSettings & {
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	/** The sound of a stream in Opus, where it is not; `null` when none can be made. */
	readonly opusOf: (stream: ReadableStreamOfPath) => ReadableStreamOfPath | null;
	readonly clock: Clock;
	readonly log: Logger;
};

export class WebRtcServer implements AsyncDisposable {
	readonly #sessions: Sessions;
	readonly #endpoint: WebRtcEndpoint;
	readonly #whip: HttpServer;
	readonly #parts: AsyncDisposableStack;

	private constructor(
		{ sessions, endpoint, whip }: { sessions: Sessions; endpoint: WebRtcEndpoint; whip: HttpServer },
		parts: AsyncDisposableStack,
	) {
		this.#sessions = sessions;
		this.#endpoint = endpoint;
		this.#whip = whip;
		this.#parts = parts;
	}

	/** @throws InputError `listen.in_use`; `config.invalid` when an address, a key or a certificate cannot be used */
	static async open(options: WebRtcServerOptions): Promise<WebRtcServer> {
		const { http, iceServers, table, authenticator, opusOf, clock, log } = options;
		if (options.udp === null && options.tcp === null) {
			throw new InputError("config.invalid", "webrtcLocalUDPAddress and webrtcLocalTCPAddress are both empty: set one");
		}
		await using parts = new AsyncDisposableStack();
		const endpoint = parts.use(await WebRtcEndpoint.open(options));
		const sessions = parts.use(new Sessions({ endpoint, table, authenticator, opusOf, clock, log }));
		const routes = new WhipRoutes({
			...{ sessions, pages: await Pages.open(), iceServers, credentialsOf: httpCredentials, clock, log },
		});
		const whip = parts.use(await openWhipServer({ http, routes, clock, log }));
		return new WebRtcServer({ sessions, endpoint, whip }, parts.move());
	}

	/** Of HTTP; `null` for a Unix socket. */
	get port(): number | null {
		return this.#whip.port;
	}

	/** Of media; `null` when they take TCP only. */
	get udpPort(): number | null {
		return this.#endpoint.udpPort;
	}

	sessions(): PeerSnapshot[] {
		return this.#sessions.list();
	}

	/** Ends a session. Says whether there was one. */
	kick(id: string): boolean {
		return this.#sessions.kick(id);
	}

	/** Who may do what has changed: every session asks again. */
	reauthorize(): void {
		this.#sessions.reauthorize();
	}

	/** Stops listening, ends every session, and waits until all sockets are closed. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#parts.disposeAsync();
	}
}
