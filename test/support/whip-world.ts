import { readFileSync } from "node:fs";
import { systemClock } from "#shared/clock.ts";
import type { AccessRequest } from "../../media-node/access/access.ts";
import { httpCredentials } from "../../media-node/http/http-credentials.ts";
import type { HttpServer, HttpServerSettings } from "../../media-node/http/http-server.ts";
import type { Sdp } from "../../media-node/webrtc/sdp/sdp.ts";
import { parseSdp } from "../../media-node/webrtc/sdp/sdp-parse.ts";
import type { IceFragment } from "../../media-node/webrtc/sdp/trickle.ts";
import type { SessionRequest, WebRtcSession, WebRtcSessions } from "../../media-node/webrtc/webrtc-sessions.ts";
import { Pages } from "../../media-node/webrtc/whip/pages.ts";
import { WhipRoutes } from "../../media-node/webrtc/whip/whip-routes.ts";
import { openWhipServer } from "../../media-node/webrtc/whip/whip-server.ts";

export const OFFER = readFileSync(new URL("../fixtures/webrtc/chromium-publish.sdp", import.meta.url), "utf8");
export const REMOTE = parseSdp(OFFER).sections[0]?.ice ?? { ufrag: "", pwd: "" };
const LOCAL_FRAGMENT: IceFragment = {
	ice: { ufrag: "new", pwd: "newnewnewnewnewnewnewnew" },
	iceOptions: [],
	iceLite: true,
	section: null,
	candidates: [],
	endOfCandidates: true,
};

export class FakeSession implements WebRtcSession {
	readonly id = "9c1e0d4e-0000-4000-8000-000000000001";
	readonly answer = { ...parseSdp(OFFER), iceLite: true };
	readonly #closed = Promise.withResolvers<null>();
	readonly closed = this.#closed.promise;
	readonly added: IceFragment[] = [];
	isCounterOffer = false;
	readonly accepted: Sdp[] = [];
	remoteIce = REMOTE;
	etag = "first";
	fault: Error | null = null;
	isClosed = false;

	accept(answer: Sdp): void {
		if (this.fault !== null) throw this.fault;
		this.accepted.push(answer);
	}

	addCandidates(fragment: IceFragment): void {
		this.added.push(fragment);
	}

	async iceRestart({ ice }: IceFragment): Promise<IceFragment> {
		if (this.fault !== null) throw this.fault;
		this.remoteIce = ice ?? this.remoteIce;
		this.etag = "second";
		return LOCAL_FRAGMENT;
	}

	async close(): Promise<void> {
		this.isClosed = true;
		this.#closed.resolve(null);
	}
}

export class FakeSessions implements WebRtcSessions {
	readonly sessions: FakeSession[] = [];
	readonly requests: (SessionRequest & { kind: string })[] = [];
	readonly accesses: AccessRequest[] = [];
	fault: Error | null = null;
	/** Offers cannot be met. */
	isCounterOffer = false;
	/** What a session waits for before it begins. */
	ready: Promise<void> = Promise.resolve();

	publish(request: SessionRequest): Promise<WebRtcSession> {
		return this.#begin(request, "publish");
	}

	read(request: SessionRequest): Promise<WebRtcSession> {
		return this.#begin(request, "read");
	}

	async authorize(access: AccessRequest): Promise<void> {
		this.accesses.push(access);
		if (this.fault !== null) throw this.fault;
	}

	async #begin(request: SessionRequest, kind: string): Promise<WebRtcSession> {
		this.requests.push({ ...request, kind });
		if (this.fault !== null) throw this.fault;
		await this.ready;
		const session = new FakeSession();
		session.isCounterOffer = this.isCounterOffer;
		this.sessions.push(session);
		return session;
	}
}

/** A server of WHIP and WHEP on loopback, with sessions that carry nothing. */
export class WhipWorld implements AsyncDisposable {
	readonly sessions: FakeSessions;
	readonly routes: WhipRoutes;
	readonly origin: string;
	/** What was logged as error. */
	readonly errors: readonly unknown[];
	readonly #server: HttpServer;

	private constructor(sessions: FakeSessions, routes: WhipRoutes, server: HttpServer, errors: readonly unknown[]) {
		this.sessions = sessions;
		this.routes = routes;
		this.origin = `http://127.0.0.1:${server.port}`;
		this.errors = errors;
		this.#server = server;
	}

	static async open(): Promise<WhipWorld> {
		const sessions = new FakeSessions();
		const errors: unknown[] = [];
		const error = (about: unknown) => void errors.push(about);
		const log = { debug: () => {}, info: () => {}, warn: () => {}, error, child: () => log };
		const turn = { url: "turn:turn.example.com", username: "AUTH_SECRET", password: "north", clientOnly: false };
		const stun = { url: "stun:stun.example.com:3478", username: "", password: "", clientOnly: false };
		const routes = new WhipRoutes({
			sessions,
			pages: await Pages.open(),
			iceServers: [stun, turn],
			credentialsOf: httpCredentials,
			clock: systemClock,
			log,
		});
		const server = await openWhipServer({ http: httpOnLoopback(), routes, clock: systemClock, log });
		return new WhipWorld(sessions, routes, server, errors);
	}

	ask(method: string, path: string, { headers = {}, body }: Init = {}): Promise<Response> {
		const sent = body === undefined ? {} : { body };
		return fetch(this.origin + path, { method, headers, redirect: "manual", ...sent });
	}

	offer(path: string, headers: Record<string, string> = {}, body = OFFER): Promise<Response> {
		return this.ask("POST", path, { headers: { "content-type": "application/sdp", ...headers }, body });
	}

	patch(location: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
		const type = "application/trickle-ice-sdpfrag";
		return this.ask("PATCH", location, { headers: { "content-type": type, ...headers }, body });
	}

	/** Begins a session. */
	async begun(path = "/cam/whip"): Promise<{ location: string; session: FakeSession }> {
		const response = await this.offer(path);
		const [session] = this.sessions.sessions;
		if (session === undefined) throw new Error(`No session: ${response.status} ${await response.text()}`);
		return { location: response.headers.get("location") ?? "", session };
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#server[Symbol.asyncDispose]();
	}
}

type Init = { headers?: Record<string, string>; body?: string };

/** The settings of a server on a free port. */
export function httpOnLoopback(changes: Partial<HttpServerSettings> = {}): HttpServerSettings {
	return {
		prefix: "webrtc",
		address: "127.0.0.1:0",
		certificate: null,
		allowOrigins: ["https://*.example.com"],
		trustedProxies: ["127.0.0.1"],
		readTimeoutMs: 5_000,
		writeTimeoutMs: 5_000,
		...changes,
	};
}
