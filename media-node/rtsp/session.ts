/**
 * One RTSP connection and the one session that it may have: the state machine of RFC 2326 §A.1, for publishers and
 * readers. It knows no socket: it is given what comes in, and sends through a {@link Peer}.
 */

import { randomBytes } from "node:crypto";
import { abortedError, type Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode, ProtocolError, SluiceError } from "#shared/problem.ts";
import type { Authenticator, Grant } from "../access/access.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath, StreamTable } from "../stream/publication.ts";
import { credentialsOf } from "./credentials.ts";
import { type RtspRequest, type RtspResponse, writeResponse } from "./message.ts";
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
import { type AnnouncedMedia, parseAnnouncement, writeDescription } from "./sdp.ts";
import { responseOf } from "./status.ts";
import { parseTransport, type Transport, type TransportOffer, writeTransport } from "./transport.ts";
import type { UdpSockets } from "./udp.ts";

export type SessionEnvironment = {
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	readonly transports: readonly ("tcp" | "udp")[];
	/** `null` when UDP is switched off. */
	readonly udp: UdpSockets | null;
	readonly clock: Clock;
	readonly log: Logger;
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
};

export type SessionSnapshot = {
	readonly id: string;
	readonly createdMs: number;
	readonly remoteAddress: string;
	readonly state: "idle" | "read" | "publish";
	readonly path: PathName | null;
	readonly transport: "tcp" | "udp" | null;
	readonly bytesReceived: number;
	readonly bytesSent: number;
	readonly packetsSent: number;
	readonly packetsDiscarded: number;
	readonly packetsLost: number;
};

type State =
	| { readonly kind: "init" }
	| {
			readonly kind: "announced";
			readonly path: PathName;
			readonly media: readonly AnnouncedMedia[];
			readonly transports: Map<number, Transport>;
	  }
	| {
			readonly kind: "recording";
			readonly path: PathName;
			readonly publisher: Publisher;
			readonly transports: Map<number, Transport>;
	  }
	| {
			readonly kind: "ready";
			readonly path: PathName;
			readonly stream: ReadableStreamOfPath;
			readonly transports: Map<number, Transport>;
	  }
	| {
			readonly kind: "playing";
			readonly path: PathName;
			readonly stream: ReadableStreamOfPath;
			readonly transports: Map<number, Transport>;
			readonly reader: Reader;
			readonly routes: readonly Disposable[];
	  };

/** A client has so long for its first request, and between requests while it neither reads nor publishes. */
const FIRST_REQUEST_MS = 10_000;
const IDLE_MS = 60_000;
/** What the Session header tells; UDP readers must show themselves within it. */
export const SESSION_TIMEOUT_S = 60;
/** Requests that may wait for the one before. */
const MAX_PIPELINED = 16;
/** Other names, for instance those of a publisher's tracks, are answered with 501. */
const METHODS = "OPTIONS, ANNOUNCE, DESCRIBE, SETUP, PLAY, RECORD, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

export class RtspSession implements RtspHandler {
	readonly id = randomBytes(16).toString("hex");
	readonly #peer: Peer;
	readonly #env: SessionEnvironment;
	readonly #log: Logger;
	readonly #parser = new RtspParser(this);
	readonly #createdMs: number;
	readonly #stop = new AbortController();
	/** What was granted, by action and path: one question for each, however many requests. */
	readonly #grants = new Map<string, Grant>();
	#state: State = { kind: "init" };
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
			transport: state.kind === "init" ? null : ([...state.transports.values()][0]?.protocol ?? null),
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
		for (const [use, { expiresMs }] of this.#grants) {
			if (expiresMs === null || expiresMs > clock.now()) continue;
			this.close(new GoneError("session.closed", `The token of this session has expired (${use})`));
			return;
		}
		switch (state.kind) {
			case "recording":
				state.publisher.tick();
				return;
			case "playing":
				if (
					[...state.transports.values()].some(({ protocol }) => protocol === "udp") &&
					silentMs >= SESSION_TIMEOUT_S * 1000
				) {
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
			else if (!hasCode(error, "access.token_missing", "aborted"))
				this.#log.warn(log, `A request was refused: ${error.message}`);
			return responseOf(error);
		}
	}

	#send(request: RtspRequest, { headers, ...response }: RtspResponse): void {
		const cseq = request.headers.get("cseq");
		const session = this.#state.kind === "init" ? {} : { Session: `${this.id};timeout=${SESSION_TIMEOUT_S}` };
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
				return this.#setup(request);
			case "RECORD":
				return this.#record();
			case "PLAY":
				return this.#preparePlay(request);
			case "PAUSE":
				return this.#pause();
			case "TEARDOWN":
				return this.#teardown();
			default:
				return { status: 501 };
		}
	}

	/** @throws ProtocolError `rtsp.session` for a session that is not this connection's */
	#expectSession({ headers }: RtspRequest): void {
		const given = headers.get("session")?.split(";")[0]?.trim();
		if (given === undefined || given === this.id) return;
		throw new ProtocolError("rtsp.session", "There is no such session on this connection");
	}

	async #describe(request: RtspRequest): Promise<RtspResponse> {
		const url = parseRtspUrl(request.url);
		const path = pathOf(url);
		await this.#authorize("read", path, request, url);
		const stream = await this.#env.table.read(path, this.#stop.signal);
		this.#described = { path, stream };
		return {
			status: 200,
			headers: { "Content-Base": `${url.origin}/${path}/`, "Content-Type": "application/sdp" },
			body: writeDescription(stream.tracks, path, this.#peer.address.includes(":")),
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
		this.#state = { kind: "announced", path, media: parseAnnouncement(request.body), transports: new Map() };
		return { status: 200 };
	}

	async #setup(request: RtspRequest): Promise<RtspResponse> {
		const offers = parseTransport(request.headers.get("transport") ?? "");
		if (this.#state.kind === "announced") {
			const { media, transports } = this.#state;
			const index = announcedIndexOf(
				request.url,
				media.map(({ control }) => control),
			);
			if (index === -1) throw new GoneError("stream.not_found", "No announced media has this control URL");
			const transport = this.#agree(offers, "record", index, transports);
			transports.set(index, transport);
			return { status: 200, headers: { Transport: writeTransport(transport, "record", null) } };
		}
		this.#expectState("init", "ready");
		const { path, stream } = await this.#toRead(request);
		const { tracks } = stream;
		const index = mediaIndexOf(request.url) ?? (tracks.length === 1 ? 0 : -1);
		if (tracks[index] === undefined)
			throw new GoneError("stream.not_found", `Path ${path} has no media of this control URL`);
		const transports = this.#state.kind === "ready" ? this.#state.transports : new Map<number, Transport>();
		const transport = this.#agree(offers, "play", index, transports);
		transports.set(index, transport);
		this.#state = { kind: "ready", path, stream, transports };
		const ssrc = stream.position(index)?.ssrc ?? null;
		return { status: 200, headers: { Transport: writeTransport(transport, "play", ssrc) } };
	}

	/** The stream that a SETUP is about: that of the session, of the DESCRIBE before, or that of its URL. */
	async #toRead(request: RtspRequest): Promise<{ path: PathName; stream: ReadableStreamOfPath }> {
		if (this.#state.kind === "ready") return this.#state;
		const url = parseRtspUrl(request.url);
		const path = pathOfSetup(url);
		await this.#authorize("read", path, request, url);
		if (this.#described?.path === path) return this.#described;
		return { path, stream: await this.#env.table.read(path, this.#stop.signal) };
	}

	/** Takes the first offer that this server can serve. @throws ProtocolError `rtsp.transport` */
	#agree(
		offers: readonly TransportOffer[],
		mode: "play" | "record",
		index: number,
		taken: ReadonlyMap<number, Transport>,
	): Transport {
		const { transports, udp } = this.#env;
		for (const offer of offers) {
			if (offer.multicast || (mode === "record" && offer.mode !== "record") || !transports.includes(offer.protocol))
				continue;
			// RFC 2326 §10.4: one session, one kind of transport.
			if ([...taken.values()].some(({ protocol }) => protocol !== offer.protocol)) continue;
			if (offer.protocol === "tcp") {
				const channels = offer.interleaved ?? ([2 * index, 2 * index + 1] as const);
				const isTaken = [...taken].some(
					([at, other]) => at !== index && other.protocol === "tcp" && other.channels.some((c) => channels.includes(c)),
				);
				if (!isTaken && channels[0] !== channels[1]) return { protocol: "tcp", channels };
			} else if (udp !== null && offer.clientPorts !== null) {
				return { protocol: "udp", clientPorts: offer.clientPorts, serverPorts: [udp.rtp.port, udp.rtcp.port] };
			}
		}
		const served = transports
			.map((name) => (name === "tcp" ? "RTP/AVP/TCP interleaved" : "RTP/AVP unicast"))
			.join(" or ");
		throw new ProtocolError("rtsp.transport", `None of the offered transports is served here: use ${served}`);
	}

	async #record(): Promise<RtspResponse> {
		const state = this.#expectState("announced");
		const { path, media, transports } = state;
		const chosen = media.flatMap(({ track }, index) => {
			const transport = transports.get(index);
			return transport === undefined ? [] : [{ track, transport }];
		});
		if (chosen.length === 0) throw new ProtocolError("rtsp.state", "No media was set up before RECORD");
		const publication = await this.#env.table.publish(
			{
				path,
				tracks: chosen.map(({ track }) => track),
				publisher: { id: this.id, protocol: "rtsp", remoteAddress: `${this.#peer.address}:${this.#peer.port}` },
				onEvicted: (reason) => this.close(reason),
			},
			this.#stop.signal,
		);
		if (this.#closed) {
			publication.close();
			throw abortedError(this.#stop.signal);
		}
		const { peer, ...rest } = { peer: this.#peer, ...this.#env };
		try {
			const publisher = new Publisher({
				...rest,
				peer,
				publication,
				transports: chosen.map(({ transport }) => transport),
				onEnd: (reason) => this.close(reason),
			});
			this.#state = { kind: "recording", path, publisher, transports };
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
		const { path, stream, transports } = state;
		const routes: Disposable[] = [];
		try {
			const onEnd = (reason: SluiceError) => this.close(reason);
			const reader = new Reader({ ...this.#env, log: this.#log, stream, transports, peer: this.#peer, onEnd });
			for (const transport of transports.values()) {
				if (transport.protocol !== "udp") continue;
				// Receiver reports keep a session alive. RFC 2326 §A.
				const heard = () => {
					this.#lastHeardMs = this.#env.clock.monotonic();
				};
				const route = this.#env.udp?.rtcp.receive(this.#peer.address, transport.clientPorts[1], heard);
				if (route != null) routes.push(route);
			}
			this.#state = { kind: "playing", path, stream, transports, reader, routes };
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
		if (this.#state.kind === "ready") return { status: 200 };
		const { path, stream, transports, reader, routes } = this.#expectState("playing");
		reader[Symbol.dispose]();
		for (const route of routes) route[Symbol.dispose]();
		this.#state = { kind: "ready", path, stream, transports };
		return { status: 200 };
	}

	#teardown(): RtspResponse {
		this.#toInit(null);
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
	}

	async #authorize(action: "publish" | "read", path: PathName, { headers }: RtspRequest, url: RtspUrl): Promise<void> {
		const use = `${action} ${path}`;
		if (this.#grants.has(use)) return;
		const request = { action, path, protocol: "rtsp", ip: this.#peer.address, ...credentialsOf(headers, url) };
		const grant = await this.#env.authenticator.authorize(request, this.#stop.signal);
		this.#grants.clear();
		this.#grants.set(use, grant);
	}

	/** @throws ProtocolError `rtsp.state` */
	#expectState<K extends State["kind"]>(...kinds: K[]): Extract<State, { kind: K }> {
		if ((kinds as string[]).includes(this.#state.kind)) return this.#state as Extract<State, { kind: K }>;
		throw new ProtocolError("rtsp.state", `This method is not valid in the state ${this.#state.kind}`);
	}

	/** What came cannot be understood: the client is told, and the connection ends. */
	#fail(error: unknown): void {
		if (!(error instanceof SluiceError)) this.#log.error({ err: error }, "A connection failed for a fault of ours");
		if (this.#state.kind === "init") this.#peer.send(writeResponse(responseOf(error)));
		this.close(
			error instanceof SluiceError
				? error
				: new GoneError("session.closed", "Something went wrong on our side", { cause: error }),
		);
	}
}
