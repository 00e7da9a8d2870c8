/**
 * One RTSP connection and the one session that it may have: the state machine of RFC 2326 §A.1, for publishers and
 * readers. It knows no socket: it is given what comes in, and sends through a {@link Peer}.
 */

import { randomBytes, randomUUID } from "node:crypto";
import { abortedError, type Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode, ProtocolError, SluiceError } from "#shared/problem.ts";
import type { AccessRequest, Authenticator, Grant } from "../access/access.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath, StreamTable } from "../stream/publication.ts";
import { agree, type TransportKind, takenChannels } from "./agree.ts";
import { type AuthMethodName, Challenge } from "./credentials.ts";
import { type RtspRequest, type RtspResponse, writeResponse } from "./message.ts";
import type { MulticastGroups, StreamGroups } from "./multicast.ts";
import { type RtspHandler, RtspParser } from "./parser.ts";
import type { Peer } from "./peer.ts";
import { Publisher } from "./publisher.ts";
import { Reader } from "./reader.ts";
import {
	announcedIndexOf,
	controlOf,
	mediaIndexOf,
	parseRtspUrl,
	pathOf,
	pathOfSetup,
	type RtspUrl,
} from "./rtsp-url.ts";
import { parseAnnouncement, writeDescription } from "./sdp.ts";
import { keyManagementOf, Opener, sealerOf, writeKeyManagement } from "./secure.ts";
import {
	type Announced,
	type Reading,
	type SessionSnapshot,
	type SessionState,
	transportOf,
	usesDatagrams,
} from "./session-state.ts";
import { responseOf } from "./status.ts";
import { parseTransport, type Transport, writeTransport } from "./transport.ts";
import type { UdpSockets } from "./udp.ts";
import type { Tunnel } from "./wire.ts";

export type SessionEnvironment = {
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	readonly authMethods: readonly AuthMethodName[];
	readonly transports: readonly TransportKind[];
	/** The connection is RTSPS. */
	readonly isSecure: boolean;
	readonly tunnel: Tunnel;
	/** For SRTP when the connection is secure; `null` when UDP is switched off. */
	readonly udp: UdpSockets | null;
	readonly multicast: MulticastGroups | null;
	readonly clock: Clock;
	readonly log: Logger;
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
};

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

export class RtspSession implements RtspHandler {
	readonly id = randomUUID();
	/** What the Session header has: nobody can guess it. */
	readonly #key = randomBytes(16).toString("hex");
	readonly #peer: Peer;
	readonly #env: SessionEnvironment;
	readonly #log: Logger;
	readonly #parser = new RtspParser(this);
	readonly #challenge: Challenge;
	readonly #createdMs: number;
	readonly #stop = new AbortController();
	/** What was granted last: one question for each path and action, however many requests. */
	#access: Access | null = null;
	#state: SessionState = { kind: "init" };
	#described: { readonly path: PathName; readonly stream: ReadableStreamOfPath } | null = null;
	#queue: RtspRequest[] = [];
	#working: Promise<void> | null = null;
	#lastHeardMs: number;
	#requests = 0;
	#bytesReceived = 0;
	#closed = false;

	constructor(peer: Peer, env: SessionEnvironment) {
		this.#peer = peer;
		this.#env = env;
		this.#log = env.log.child({ session: this.id.slice(0, 8), remote: `${peer.address}:${peer.port}` });
		this.#challenge = new Challenge(env.authMethods);
		this.#createdMs = env.clock.now();
		this.#lastHeardMs = env.clock.monotonic();
	}

	get snapshot(): SessionSnapshot {
		const state = this.#state;
		const reader = state.kind === "playing" ? state.reader : null;
		const publisher = state.kind === "recording" ? state.publisher : null;
		return {
			id: this.id,
			createdMs: this.#createdMs,
			remoteAddress: `${this.#peer.address}:${this.#peer.port}`,
			state: reader !== null ? "read" : publisher !== null ? "publish" : "idle",
			path: state.kind === "init" ? null : state.path,
			query: "query" in state ? state.query : "",
			user: this.#access?.grant.subject ?? "",
			userAgent: this.#access?.request.userAgent ?? "",
			transport: transportOf(state)?.protocol ?? null,
			secure: this.#env.isSecure,
			tunnel: this.#env.tunnel,
			bytesReceived: this.#bytesReceived + (publisher?.datagramBytes ?? 0),
			bytesSent: reader?.bytesSent ?? 0,
			packetsSent: reader?.packetsSent ?? 0,
			packetsDiscarded: reader?.packetsDiscarded ?? 0,
			packetsLost: publisher?.packetsLost ?? 0,
		};
	}

	/** Takes what one read of the connection brought. Never throws. */
	receive(chunk: Uint8Array): void {
		if (this.#closed) return;
		this.#bytesReceived += chunk.length;
		try {
			this.#parser.push(chunk);
		} catch (error) {
			// The peer may have sent anything: it is told, and what came from others is not touched.
			this.#fail(error);
			return;
		}
		if (this.#state.kind === "recording") this.#state.publisher.flush();
	}

	onFrame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
		const state = this.#state;
		if (state.kind === "recording") state.publisher.frame(channel, bytes, offset, length);
		// What a reader sends on its channels are receiver reports: a sign of life.
		else if (state.kind === "playing") this.#lastHeardMs = this.#env.clock.monotonic();
	}

	onRequest(request: RtspRequest): void {
		this.#lastHeardMs = this.#env.clock.monotonic();
		this.#requests++;
		if (this.#queue.length >= MAX_PIPELINED) {
			throw new ProtocolError("bytes.limit", `More than ${MAX_PIPELINED} requests wait for an answer`);
		}
		this.#queue.push(request);
		this.#working ??= this.#work();
	}

	onResponse(): void {
		this.#lastHeardMs = this.#env.clock.monotonic();
	}

	/** Looks after time. Called about once a second. */
	tick(): void {
		if (this.#closed) return;
		const { clock } = this.#env;
		const silentMs = clock.monotonic() - this.#lastHeardMs;
		const state = this.#state;
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
		if (access === null || this.#closed) return;
		try {
			const grant = await this.#env.authenticator.authorize(access.request, this.#stop.signal);
			if (this.#access === access) this.#access = { request: access.request, grant };
		} catch (error) {
			// Who decides may be away: that is no reason to end what was granted.
			if (
				!hasCode(
					error,
					"access.token_missing",
					"access.token_invalid",
					"access.token_expired",
					"access.forbidden",
					"access.credentials",
				)
			) {
				if (!(error instanceof SluiceError)) this.#log.error({ err: error }, "A session could not be checked again");
				return;
			}
			this.close(new GoneError("session.closed", "The client may no longer do this", { cause: error }));
		}
	}

	/** The connection ends. Idempotent. `reason`: why, when it is not the client's wish. */
	close(reason: SluiceError | null = null): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#stop.abort(reason);
		this.#queue = [];
		const state = this.#state;
		if (state.kind === "recording" || state.kind === "playing") {
			const kind = state.kind === "recording" ? "publisher" : "reader";
			this.#log.info(
				{ path: state.path, ...(reason ? { code: reason.code } : {}) },
				`The ${kind} left${reason ? `: ${reason.message}` : ""}`,
			);
		} else if (reason !== null) {
			this.#log.info({ code: reason.code }, `The connection ends: ${reason.message}`);
		}
		this.#toInit(reason);
		this.#peer.close(hasCode(reason, "reader.too_slow"));
	}

	/** Waits until no request is being worked on. */
	async settled(): Promise<void> {
		await this.#working;
	}

	/** Answers the requests, one after the other: a slow check delays this client alone. */
	async #work(): Promise<void> {
		for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
			const response = await this.#answer(request);
			if (this.#closed) break;
			this.#send(request, response);
			if (request.method === "PLAY" && response.status === 200) this.#play();
		}
		this.#working = null;
	}

	async #answer(request: RtspRequest): Promise<RtspResponse> {
		try {
			if (!/^\d{1,10}$/.test(request.headers.get("cseq") ?? "")) {
				throw new ProtocolError("rtsp.malformed", "The request has no CSeq header with a number");
			}
			return await this.#handle(request);
		} catch (error) {
			const log = { method: request.method, ...(error instanceof SluiceError ? { code: error.code } : { err: error }) };
			if (!(error instanceof SluiceError)) this.#log.error(log, "A request failed for a fault of ours");
			else if (!hasCode(error, "access.token_missing", "aborted", "stream.moved"))
				this.#log.warn(log, `A request was refused: ${error.message}`);
			const location = hasCode(error, "stream.moved") ? movedTo(request.url, String(error.data["location"])) : null;
			return location === null ? responseOf(error, this.#challenge) : { status: 302, headers: { Location: location } };
		}
	}

	#send(request: RtspRequest, { headers, ...response }: RtspResponse): void {
		const cseq = request.headers.get("cseq");
		const session = this.#state.kind === "init" ? {} : { Session: `${this.#key};timeout=${SESSION_TIMEOUT_S}` };
		this.#peer.send(
			writeResponse({
				...response,
				headers: { ...(cseq === undefined ? {} : { CSeq: cseq }), Server: "Sluice", ...session, ...headers },
			}),
		);
	}

	async #handle(request: RtspRequest): Promise<RtspResponse> {
		this.#expectSession(request);
		switch (request.method) {
			case "OPTIONS":
				return { status: 200, headers: { Public: METHODS } };
			case "GET_PARAMETER":
			case "SET_PARAMETER":
				// Sent to keep a session alive; there are no parameters. RFC 2326 §10.8.
				return request.body.trim() === "" ? { status: 200 } : { status: 451 };
			case "DESCRIBE":
				return this.#describe(request);
			case "ANNOUNCE":
				return this.#announce(request);
			case "SETUP":
				return this.#state.kind === "announced" ? this.#setupRecord(request, this.#state) : this.#setupPlay(request);
			case "RECORD":
				return this.#record();
			case "PLAY":
				return this.#preparePlay(request);
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

	async #describe(request: RtspRequest): Promise<RtspResponse> {
		const url = parseRtspUrl(request.url);
		const path = pathOf(url);
		await this.#authorize("read", path, request, url);
		const stream = await this.#env.table.read(path, this.#stop.signal, url.query.toString());
		this.#described = { path, stream };
		const { isSecure, clock, udp } = this.#env;
		const keyOf = (track: number) => sealerOf(stream).message(stream.ssrcOf(track), clock.now());
		return {
			status: 200,
			headers: { "Content-Base": `${url.origin}/${path}/`, "Content-Type": "application/sdp" },
			body: writeDescription(stream.tracks, {
				title: path,
				isV6: this.#peer.address.includes(":"),
				keyOf: isSecure && udp !== null ? keyOf : null,
			}),
		};
	}

	async #announce(request: RtspRequest): Promise<RtspResponse> {
		this.#expectState("init");
		if (!/^application\/sdp\b/i.test(request.headers.get("content-type") ?? "application/sdp")) {
			throw new ProtocolError("media.unsupported", "The announcement is not application/sdp");
		}
		const url = parseRtspUrl(request.url);
		const path = pathOf(url);
		await this.#authorize("publish", path, request, url);
		const media = parseAnnouncement(request.body);
		this.#state = { kind: "announced", path, query: url.query.toString(), media, setups: new Map() };
		return { status: 200 };
	}

	#setupRecord(request: RtspRequest, { media, setups }: Announced): RtspResponse {
		const index = announcedIndexOf(
			request.url,
			media.map(({ control }) => control),
		);
		if (index === -1) throw new GoneError("stream.not_found", "No announced media has this control URL");
		const transports = new Map([...setups].map(([at, setup]) => [at, setup.transport] as const));
		const transport = this.#agree(request, "record", index, transports, null);
		if (transport.protocol === "multicast") throw new TypeError("A publisher cannot have agreed on multicast");
		let headers: RtspResponse["headers"] = { Transport: writeTransport(transport, "record", null) };
		let opener: Opener | null = null;
		if (transport.secure) {
			const message = keyManagementOf(request.headers.get("keymgmt") ?? "") ?? media[index]?.keyManagement ?? null;
			if (message === null)
				throw new ProtocolError("rtsp.transport", "RTP/SAVP takes a key: send it in a KeyMgmt header");
			opener = new Opener(message);
			const ours = opener.reports.message(randomBytes(4).readUInt32BE(), this.#env.clock.now());
			headers = { ...headers, KeyMgmt: writeKeyManagement(request.url, ours) };
		}
		setups.set(index, { transport, opener });
		return { status: 200, headers };
	}

	async #setupPlay(request: RtspRequest): Promise<RtspResponse> {
		const state = this.#expectState("init", "ready");
		const reading = state.kind === "ready" ? state : await this.#toRead(request);
		const { path, stream, transports } = reading;
		const index = mediaIndexOf(request.url) ?? (stream.tracks.length === 1 ? 0 : -1);
		if (stream.tracks[index] === undefined)
			throw new GoneError("stream.not_found", `Path ${path} has no media of this control URL`);
		let { groups } = reading;
		const transport = this.#agree(request, "play", index, transports, () => {
			groups ??= this.#env.multicast?.join(stream) ?? null;
			return (groups as StreamGroups).place(index);
		});
		transports.set(index, transport);
		this.#state = { ...reading, kind: "ready", groups };
		const ssrc = stream.position(index)?.ssrc ?? null;
		const message = transport.secure ? sealerOf(stream).message(stream.ssrcOf(index), this.#env.clock.now()) : null;
		return {
			status: 200,
			headers: {
				Transport: writeTransport(transport, "play", ssrc),
				...(message === null ? {} : { KeyMgmt: writeKeyManagement(request.url, message) }),
			},
		};
	}

	/** The stream that a SETUP is about: that of the DESCRIBE before, or that of its URL. */
	async #toRead(request: RtspRequest): Promise<Reading> {
		const url = parseRtspUrl(request.url);
		const path = pathOfSetup(url);
		const query = url.query.toString();
		await this.#authorize("read", path, request, url);
		const { stream } =
			this.#described?.path === path
				? this.#described
				: { stream: await this.#env.table.read(path, this.#stop.signal, query) };
		return { path, query, stream, transports: new Map(), groups: null };
	}

	/** Takes the first offer that this server can serve. @throws ProtocolError `rtsp.transport` */
	#agree(
		{ headers }: RtspRequest,
		mode: "play" | "record",
		index: number,
		transports: ReadonlyMap<number, Transport>,
		group: Parameters<typeof agree>[2]["group"],
	): Transport {
		const { transports: kinds, isSecure, udp, multicast } = this.#env;
		return agree(parseTransport(headers.get("transport") ?? ""), mode, {
			kinds,
			isSecure,
			serverPorts: udp === null ? null : [udp.rtp.port, udp.rtcp.port],
			group: multicast === null ? null : group,
			kind: [...transports.values()][0]?.protocol ?? null,
			taken: takenChannels(transports, index),
			index,
		});
	}

	async #record(): Promise<RtspResponse> {
		const announced = this.#expectState("announced");
		const { path, query, media, setups } = announced;
		const chosen = media.flatMap(({ track }, index) => {
			const setup = setups.get(index);
			return setup === undefined ? [] : [{ track, ...setup }];
		});
		const [first] = chosen;
		if (first === undefined) throw new ProtocolError("rtsp.state", "No media was set up before RECORD");
		const type = this.#env.isSecure ? "rtspsSession" : "rtspSession";
		const publication = await this.#env.table.publish(
			{
				path,
				tracks: chosen.map(({ track }) => track),
				publisher: {
					id: this.id,
					protocol: "rtsp",
					type,
					remoteAddress: `${this.#peer.address}:${this.#peer.port}`,
					query,
				},
				onEvicted: (reason) => this.close(reason),
			},
			this.#stop.signal,
		);
		if (this.#closed) {
			publication.close();
			throw abortedError(this.#stop.signal);
		}
		try {
			const publisher = new Publisher({
				...this.#env,
				peer: this.#peer,
				publication,
				transports: chosen.map(({ transport }) => transport),
				openers: chosen.map(({ opener }) => opener),
				onEnd: (reason) => this.close(reason),
			});
			this.#state = { kind: "recording", path, publisher, transport: first.transport, announced };
		} catch (error) {
			publication.close();
			throw error;
		}
		this.#log.info({ path, tracks: publication.tracks.map(({ codec }) => codec.name) }, "A publisher came");
		return { status: 200, headers: { Range: "npt=now-" } };
	}

	/** Answers a PLAY; media follow the answer. */
	#preparePlay(request: RtspRequest): RtspResponse {
		if (this.#state.kind === "playing") return { status: 200 };
		const { stream, transports } = this.#expectState("ready");
		const base = request.url.replace(/\/+$/, "");
		const info = [...transports.keys()].flatMap((index) => {
			const position = stream.position(index);
			return position === null
				? []
				: [`url=${base}/${controlOf(index)};seq=${position.sequence};rtptime=${position.rtpTime}`];
		});
		return { status: 200, headers: { Range: "npt=now-", ...(info.length > 0 ? { "RTP-Info": info.join(",") } : {}) } };
	}

	#play(): void {
		const state = this.#state;
		if (state.kind !== "ready") return;
		const { path, query, stream, transports, groups } = state;
		const { isSecure, udp, clock } = this.#env;
		const routes: Disposable[] = [];
		try {
			const reader = new Reader({
				...this.#env,
				log: this.#log,
				stream,
				transports,
				peer: this.#peer,
				info: {
					id: this.id,
					type: isSecure ? "rtspsSession" : "rtspSession",
					remoteAddress: `${this.#peer.address}:${this.#peer.port}`,
					query,
				},
				onEnd: (reason) => this.close(reason),
			});
			if (groups !== null) routes.push(groups.listen());
			for (const transport of transports.values()) {
				if (transport.protocol !== "udp") continue;
				// Receiver reports keep a session alive. RFC 2326 §A.
				const heard = () => {
					this.#lastHeardMs = clock.monotonic();
				};
				const route = udp?.rtcp.receive(this.#peer.address, transport.clientPorts[1], heard);
				if (route != null) routes.push(route);
			}
			this.#state = { ...state, kind: "playing", reader, routes };
			this.#log.info({ path }, "A reader came");
		} catch (error) {
			// The stream ended, or filled up, since it was described: PLAY was answered, so the connection tells.
			this.close(
				error instanceof SluiceError
					? error
					: new GoneError("session.closed", "The stream cannot be read", { cause: error }),
			);
		}
	}

	#pause(): RtspResponse {
		if (this.#state.kind === "ready" || this.#state.kind === "announced") return { status: 200 };
		if (this.#state.kind === "recording") {
			const { publisher, announced } = this.#state;
			publisher.close();
			this.#state = announced;
			return { status: 200 };
		}
		const { reader, routes, ...reading } = this.#expectState("playing");
		reader[Symbol.dispose]();
		for (const route of routes) route[Symbol.dispose]();
		this.#state = { ...reading, kind: "ready" };
		return { status: 200 };
	}

	#toInit(reason: SluiceError | null): void {
		const state = this.#state;
		this.#state = { kind: "init" };
		this.#described = null;
		if (state.kind === "recording") state.publisher.close(reason ?? undefined);
		if (state.kind === "playing") {
			state.reader.bye();
			state.reader[Symbol.dispose]();
			for (const route of state.routes) route[Symbol.dispose]();
		}
		if (state.kind === "ready" || state.kind === "playing") state.groups?.[Symbol.dispose]();
	}

	async #authorize(
		action: "publish" | "read",
		path: PathName,
		{ method, headers }: RtspRequest,
		url: RtspUrl,
	): Promise<void> {
		const before = this.#access?.request;
		if (before?.action === action && before.path === path) return;
		const request: AccessRequest = {
			action,
			path,
			protocol: "rtsp",
			ip: this.#peer.address,
			id: this.id,
			query: url.query.toString(),
			userAgent: headers.get("user-agent") ?? "",
			...this.#challenge.credentialsOf(method, headers, url),
		};
		const grant = await this.#env.authenticator.authorize(request, this.#stop.signal);
		this.#access = { request, grant };
	}

	/** @throws ProtocolError `rtsp.state` */
	#expectState<K extends SessionState["kind"]>(...kinds: K[]): Extract<SessionState, { kind: K }> {
		if ((kinds as string[]).includes(this.#state.kind)) return this.#state as Extract<SessionState, { kind: K }>;
		throw new ProtocolError("rtsp.state", `This method is not valid in the state ${this.#state.kind}`);
	}

	/** What came cannot be understood: the client is told, and the connection ends. */
	#fail(error: unknown): void {
		if (!(error instanceof SluiceError)) this.#log.error({ err: error }, "A connection failed for a fault of ours");
		if (this.#state.kind === "init") this.#peer.send(writeResponse(responseOf(error, this.#challenge)));
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
