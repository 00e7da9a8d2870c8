/**
 * One RTSP connection and the one session that it may have: the state machine of RFC 2326 §A.1, for publishers and
 * readers. It knows no socket: it is given what comes in, and sends through a {@link Peer}.
 */

import { randomBytes, randomUUID } from "node:crypto";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode, ProtocolError, SluiceError } from "#shared/problem.ts";
import type { AccessRequest, Grant } from "../access/access.ts";
import type { Logger } from "../log.ts";
import { isOwnConnection } from "../own-connections.ts";
import { unsupportedTags } from "./back-channel.ts";
import { Challenge } from "./credentials.ts";
import { type RtspRequest, type RtspResponse, writeResponse } from "./message.ts";
import { type RtspHandler, RtspParser } from "./parser.ts";
import type { Peer } from "./peer.ts";
import { parseRtspUrl, type RtspUrl } from "./rtsp-url.ts";
import type { Described, SessionContext, SessionEnvironment } from "./session-context.ts";
import { describe, play, preparePlay, setupPlay } from "./session-read.ts";
import { announce, record, setupRecord } from "./session-record.ts";
import { type SessionSnapshot, type SessionState, transportOf, usesDatagrams } from "./session-state.ts";
import { responseOf } from "./status.ts";

/** A client has so long for its first request, and between requests while it neither reads nor publishes. */
const FIRST_REQUEST_MS = 10_000;
const IDLE_MS = 60_000;
/** What the Session header tells; readers of datagrams must show themselves within it. */
export const SESSION_TIMEOUT_S = 60;
/** Requests that may wait for the one before. */
const MAX_PIPELINED = 16;
/** Other names, for instance those of a publisher's tracks, are answered with 501. */
const METHODS = "OPTIONS, ANNOUNCE, DESCRIBE, SETUP, PLAY, RECORD, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

type Access = { readonly request: AccessRequest; readonly grant: Grant };

export class RtspSession implements RtspHandler, SessionContext {
	readonly id = randomUUID();
	/** What the Session header has: nobody can guess it. */
	readonly #key = randomBytes(16).toString("hex");
	readonly peer: Peer;
	readonly env: SessionEnvironment;
	readonly #parser = new RtspParser(this);
	/** Made when the client is asked who it is. */
	#challenge: Challenge | null = null;
	readonly #createdMs: number;
	/** While somebody is waited for, and by how many. */
	#stop: AbortController | null = null;
	#waits = 0;
	/** What was granted last: one question for each path and action, however many requests. */
	#access: Access | null = null;
	state: SessionState = { kind: "init" };
	/** `talks`: the client asked for the back channel, and was told of one. */
	described: Described | null = null;
	#queue: RtspRequest[] = [];
	#working: Promise<void> | null = null;
	#lastHeardMs: number;
	#requests = 0;
	#bytesReceived = 0;
	isClosed = false;

	constructor(peer: Peer, env: SessionEnvironment) {
		this.peer = peer;
		this.env = env;
		this.#createdMs = env.clock.now();
		this.#lastHeardMs = env.clock.monotonic();
	}

	/** Made anew each time: of thousands of sessions nearly all are silent. */
	get log(): Logger {
		return this.env.log.child({ session: this.id.slice(0, 8), remote: this.remoteAddress });
	}

	/** Fires when the session is closed. Ask for it within its methods only. */
	get signal(): AbortSignal {
		if (this.#stop === null) {
			this.#stop = new AbortController();
			if (this.isClosed) this.#stop.abort();
		}
		return this.#stop.signal;
	}

	get remoteAddress(): string {
		return `${this.peer.address}:${this.peer.port}`;
	}

	get snapshot(): SessionSnapshot {
		const state = this.state;
		const reader = state.kind === "playing" ? state.reader : null;
		const publisher = state.kind === "recording" ? state.publisher : null;
		return {
			id: this.id,
			createdMs: this.#createdMs,
			remoteAddress: this.remoteAddress,
			state: reader !== null ? "read" : publisher !== null ? "publish" : "idle",
			path: state.kind === "init" ? null : state.path,
			query: "query" in state ? state.query : "",
			user: this.#access?.grant.subject ?? "",
			userAgent: this.#access?.request.userAgent ?? "",
			transport: transportOf(state)?.protocol ?? null,
			secure: this.env.isSecure,
			tunnel: this.env.tunnel,
			bytesReceived: this.#bytesReceived + (publisher?.datagramBytes ?? 0),
			bytesSent: reader?.bytesSent ?? 0,
			packetsSent: reader?.packetsSent ?? 0,
			packetsDiscarded: reader?.packetsDiscarded ?? 0,
			packetsLost: publisher?.packetsLost ?? 0,
		};
	}

	/** Takes what one read of the connection brought. Never throws. */
	receive(chunk: Uint8Array): void {
		if (this.isClosed) return;
		this.#bytesReceived += chunk.length;
		try {
			this.#parser.push(chunk);
		} catch (error) {
			// The peer may have sent anything: it is told, and what came from others is not touched.
			this.#fail(error);
			return;
		}
		if (this.state.kind === "recording") this.state.publisher.flush();
	}

	onFrame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
		const state = this.state;
		if (state.kind === "recording") state.publisher.frame(channel, bytes, offset, length);
		else if (state.kind === "playing") {
			// What a reader sends on its channels are receiver reports, or what it says: signs of life.
			this.hear();
			state.talker?.frame(channel, bytes, offset, length);
		}
	}

	onRequest(request: RtspRequest): void {
		this.hear();
		this.#requests++;
		if (this.#queue.length >= MAX_PIPELINED) {
			throw new ProtocolError("bytes.limit", `More than ${MAX_PIPELINED} requests wait for an answer`);
		}
		this.#queue.push(request);
		this.#working ??= this.#work();
	}

	/** Bytes that came beside the connection. */
	received(count: number): void {
		this.#bytesReceived += count;
	}

	onResponse(): void {
		this.hear();
	}

	hear(): void {
		this.#lastHeardMs = this.env.clock.monotonic();
	}

	/** Looks after time. Called about once a second. */
	tick(): void {
		if (this.isClosed) return;
		const { clock } = this.env;
		const silentMs = clock.monotonic() - this.#lastHeardMs;
		const state = this.state;
		const expiresMs = this.#access?.grant.expiresMs ?? null;
		if (expiresMs !== null && expiresMs <= clock.now()) {
			const { action, path } = (this.#access as Access).request;
			this.close(new GoneError("session.closed", `The token of this session has expired (${action} ${path})`));
			return;
		}
		switch (state.kind) {
			case "recording":
				state.publisher.tick();
				return;
			case "playing":
				if (usesDatagrams(state) && silentMs >= SESSION_TIMEOUT_S * 1000) {
					this.close(
						new ProtocolError("rtsp.timeout", `The UDP reader showed no sign of life for ${SESSION_TIMEOUT_S} s`),
					);
				} else state.reader.tick();
				return;
			default:
				if (silentMs >= (this.#requests === 0 ? FIRST_REQUEST_MS : IDLE_MS)) {
					this.close(new ProtocolError("rtsp.timeout", "The client neither reads nor publishes"));
				}
		}
	}

	/** Asks again whether the client may do what it does: who decides has changed. Never fails. */
	async reauthorize(): Promise<void> {
		const access = this.#access;
		if (access === null || this.isClosed) return;
		this.#waits++;
		try {
			const grant = await this.env.authenticator.authorize(access.request, this.signal);
			if (this.#access === access) this.#access = { request: access.request, grant };
		} catch (error) {
			// Who decides may be away: that is no reason to end what was granted.
			if (
				!hasCode(
					error,
					"access.token_missing",
					"access.token_invalid",
					"access.token_expired",
					"access.token_revoked",
					"access.forbidden",
					"access.credentials",
				)
			) {
				if (!(error instanceof SluiceError)) this.log.error({ err: error }, "A session could not be checked again");
				return;
			}
			this.close(new GoneError("session.closed", "The client may no longer do this", { cause: error }));
		} finally {
			this.#endWait();
		}
	}

	#endWait(): void {
		this.#waits--;
		if (this.#waits === 0) this.#stop = null;
	}

	/** The connection ends. Idempotent. `reason`: why, when it is not the client's wish. */
	close(reason: SluiceError | null = null): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.#stop?.abort(reason);
		this.#queue = [];
		const state = this.state;
		if (state.kind === "recording" || state.kind === "playing") {
			const kind = state.kind === "recording" ? "publisher" : "reader";
			this.log.info(
				{ path: state.path, ...(reason ? { code: reason.code } : {}) },
				`The ${kind} left${reason ? `: ${reason.message}` : ""}`,
			);
		} else if (reason !== null) {
			this.log.info({ code: reason.code }, `The connection ends: ${reason.message}`);
		}
		this.#toInit(reason);
		this.peer.close(hasCode(reason, "reader.too_slow"));
	}

	/** Waits until no request is being worked on. */
	async settled(): Promise<void> {
		await this.#working;
	}

	/** Answers the requests, one after the other: a slow check delays this client alone. */
	async #work(): Promise<void> {
		this.#waits++;
		for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
			const response = await this.#answer(request);
			if (this.isClosed) break;
			this.#send(request, response);
			if (request.method === "PLAY" && response.status === 200) play(this);
		}
		this.#working = null;
		this.#endWait();
	}

	async #answer(request: RtspRequest): Promise<RtspResponse> {
		try {
			if (!/^\d{1,10}$/.test(request.headers.get("cseq") ?? "")) {
				throw new ProtocolError("rtsp.malformed", "The request has no CSeq header with a number");
			}
			return await this.#handle(request);
		} catch (error) {
			const log = { method: request.method, ...(error instanceof SluiceError ? { code: error.code } : { err: error }) };
			if (!(error instanceof SluiceError)) this.log.error(log, "A request failed for a fault of ours");
			else if (!hasCode(error, "access.token_missing", "aborted", "stream.moved"))
				this.log.warn(log, `A request was refused: ${error.message}`);
			const location = hasCode(error, "stream.moved") ? movedTo(request.url, String(error.data["location"])) : null;
			return location === null ? this.#refusalOf(error) : { status: 302, headers: { Location: location } };
		}
	}

	#refusalOf(error: unknown): RtspResponse {
		this.#challenge ??= new Challenge(this.env.authMethods);
		return responseOf(error, this.#challenge);
	}

	#send(request: RtspRequest, { headers, ...response }: RtspResponse): void {
		const cseq = request.headers.get("cseq");
		const session = this.state.kind === "init" ? {} : { Session: `${this.#key};timeout=${SESSION_TIMEOUT_S}` };
		this.peer.send(
			writeResponse({
				...response,
				headers: { ...(cseq === undefined ? {} : { CSeq: cseq }), Server: "Sluice", ...session, ...headers },
			}),
		);
	}

	async #handle(request: RtspRequest): Promise<RtspResponse> {
		this.#expectSession(request);
		const unsupported = unsupportedTags(request.headers);
		// RFC 2326 §12.32.
		if (unsupported.length > 0) return { status: 551, headers: { Unsupported: unsupported.join(", ") } };
		switch (request.method) {
			case "OPTIONS":
				return { status: 200, headers: { Public: METHODS } };
			case "GET_PARAMETER":
			case "SET_PARAMETER":
				// Sent to keep a session alive; there are no parameters. RFC 2326 §10.8.
				return request.body.trim() === "" ? { status: 200 } : { status: 451 };
			case "DESCRIBE":
				return describe(this, request);
			case "ANNOUNCE":
				return announce(this, request);
			case "SETUP":
				return this.state.kind === "announced" ? setupRecord(this, request, this.state) : setupPlay(this, request);
			case "RECORD":
				return record(this);
			case "PLAY":
				return preparePlay(this, request);
			case "PAUSE":
				return this.#pause();
			case "TEARDOWN":
				this.#toInit(null);
				return { status: 200 };
			default:
				return { status: 501 };
		}
	}

	/** @throws ProtocolError `rtsp.session` for a session that is not this connection's */
	#expectSession({ headers }: RtspRequest): void {
		const given = headers.get("session")?.split(";")[0]?.trim();
		if (given === undefined || given === this.#key) return;
		throw new ProtocolError("rtsp.session", "There is no such session on this connection");
	}

	#pause(): RtspResponse {
		if (this.state.kind === "ready" || this.state.kind === "announced") return { status: 200 };
		if (this.state.kind === "recording") {
			const { publisher, announced } = this.state;
			publisher.close();
			this.state = announced;
			return { status: 200 };
		}
		const { reader, routes, ...reading } = this.expectState("playing");
		reader[Symbol.dispose]();
		for (const route of routes) route[Symbol.dispose]();
		this.state = { ...reading, kind: "ready" };
		return { status: 200 };
	}

	#toInit(reason: SluiceError | null): void {
		const state = this.state;
		this.state = { kind: "init" };
		this.described = null;
		if (state.kind === "recording") state.publisher.close(reason ?? undefined);
		if (state.kind === "playing") {
			state.reader.bye();
			state.reader[Symbol.dispose]();
			for (const route of state.routes) route[Symbol.dispose]();
		}
		if (state.kind === "ready" || state.kind === "playing") {
			state.groups?.[Symbol.dispose]();
			state.talker?.[Symbol.dispose]();
		}
	}

	async authorize(
		action: "publish" | "read",
		path: PathName,
		{ method, headers }: RtspRequest,
		url: RtspUrl,
	): Promise<void> {
		const before = this.#access?.request;
		if (before?.action === action && before.path === path) return;
		// A client that was asked nothing cannot know a nonce either: any challenge will do.
		const challenge = this.#challenge ?? new Challenge(this.env.authMethods);
		const request: AccessRequest = {
			action,
			path,
			protocol: "rtsp",
			ip: isOwnConnection(this.peer.address, this.peer.port) ? "" : this.peer.address,
			id: this.id,
			query: url.query.toString(),
			userAgent: headers.get("user-agent") ?? "",
			...challenge.credentialsOf(method, headers, url),
		};
		const grant = await this.env.authenticator.authorize(request, this.signal);
		this.#access = { request, grant };
	}

	/** @throws ProtocolError `rtsp.state` */
	expectState<K extends SessionState["kind"]>(...kinds: K[]): Extract<SessionState, { kind: K }> {
		if ((kinds as string[]).includes(this.state.kind)) return this.state as Extract<SessionState, { kind: K }>;
		throw new ProtocolError("rtsp.state", `This method is not valid in the state ${this.state.kind}`);
	}

	/** What came cannot be understood: the client is told, and the connection ends. */
	#fail(error: unknown): void {
		if (!(error instanceof SluiceError)) this.log.error({ err: error }, "A connection failed for a fault of ours");
		if (this.state.kind === "init") this.peer.send(writeResponse(this.#refusalOf(error)));
		this.close(
			error instanceof SluiceError
				? error
				: new GoneError("session.closed", "Something went wrong on our side", { cause: error }),
		);
	}
}

/** Where a reader of `url` is sent: a path of ours keeps the address that the reader knows us by. */
function movedTo(url: string, location: string): string {
	return location.startsWith("/") ? `${parseRtspUrl(url).origin}${location}` : location;
}
