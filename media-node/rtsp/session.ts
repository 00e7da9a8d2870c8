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
import { unsupportedTags, wantsBackChannel } from "./back-channel.ts";
import { type AuthMethodName, Challenge } from "./credentials.ts";
import { type RtspRequest, type RtspResponse, writeResponse } from "./message.ts";
import type { MulticastGroups, StreamGroups } from "./multicast.ts";
import { type RtspHandler, RtspParser } from "./parser.ts";
import type { Peer } from "./peer.ts";
import { Publisher } from "./publisher.ts";
import { Reader, type ReaderOwner } from "./reader.ts";
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
import { Talker } from "./talker.ts";
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
	readonly readerBudgetBytes: number;
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

export class RtspSession implements RtspHandler, ReaderOwner {
	readonly id = randomUUID();
	/** What the Session header has: nobody can guess it. */
	readonly #key = randomBytes(16).toString("hex");
	readonly #peer: Peer;
	readonly #env: SessionEnvironment;
	readonly #parser = new RtspParser(this);
	/** Made when the client is asked who it is. */
	#challenge: Challenge | null = null;
	readonly #createdMs: number;
	/** While somebody is waited for, and by how many. */
	#stop: AbortController | null = null;
	#waits = 0;
	/** What was granted last: one question for each path and action, however many requests. */
	#access: Access | null = null;
	#state: SessionState = { kind: "init" };
	/** `talks`: the client asked for the back channel, and was told of one. */
	#described: { readonly path: PathName; readonly stream: ReadableStreamOfPath; readonly talks: boolean } | null = null;
	#queue: RtspRequest[] = [];
	#working: Promise<void> | null = null;
	#lastHeardMs: number;
	#requests = 0;
	#bytesReceived = 0;
	#closed = false;

	constructor(peer: Peer, env: SessionEnvironment) {
		this.#peer = peer;
		this.#env = env;
		this.#createdMs = env.clock.now();
		this.#lastHeardMs = env.clock.monotonic();
	}

	/** Made anew each time: of thousands of sessions nearly all are silent. */
	get log(): Logger {
		return this.#env.log.child({ session: this.id.slice(0, 8), remote: this.#remoteAddress });
	}

	/** Fires when the session is closed. Ask for it within {@link #waits} only. */
	get #signal(): AbortSignal {
		if (this.#stop === null) {
			this.#stop = new AbortController();
			if (this.#closed) this.#stop.abort();
		}
		return this.#stop.signal;
	}

	get #remoteAddress(): string {
		return `${this.#peer.address}:${this.#peer.port}`;
	}

	get snapshot(): SessionSnapshot {
		const state = this.#state;
		const reader = state.kind === "playing" ? state.reader : null;
		const publisher = state.kind === "recording" ? state.publisher : null;
		return {
			id: this.id,
			createdMs: this.#createdMs,
			remoteAddress: this.#remoteAddress,
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
		else if (state.kind === "playing") {
			// What a reader sends on its channels are receiver reports, or what it says: signs of life.
			this.#hear();
			state.talker?.frame(channel, bytes, offset, length);
		}
	}

	onRequest(request: RtspRequest): void {
		this.#hear();
		this.#requests++;
		if (this.#queue.length >= MAX_PIPELINED) {
			throw new ProtocolError("bytes.limit", `More than ${MAX_PIPELINED} requests wait for an answer`);
		}
		this.#queue.push(request);
		this.#working ??= this.#work();
	}

	onResponse(): void {
		this.#hear();
	}

	#hear(): void {
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
		this.#waits++;
		try {
			const grant = await this.#env.authenticator.authorize(access.request, this.#signal);
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
		if (this.#closed) return;
		this.#closed = true;
		this.#stop?.abort(reason);
		this.#queue = [];
		const state = this.#state;
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
		this.#peer.close(hasCode(reason, "reader.too_slow"));
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
			if (this.#closed) break;
			this.#send(request, response);
			if (request.method === "PLAY" && response.status === 200) this.#play();
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
		this.#challenge ??= new Challenge(this.#env.authMethods);
		return responseOf(error, this.#challenge);
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
		const stream = await this.#env.table.read(path, this.#signal, url.query.toString());
		const { isSecure, clock, udp } = this.#env;
		const backChannel = wantsBackChannel(request.headers) ? (stream.backChannel?.format ?? null) : null;
		this.#described = { path, stream, talks: backChannel !== null };
		const isTrack = (index: number) => index < stream.tracks.length;
		const keyOf = (index: number) => sealerOf(stream).message(isTrack(index) ? stream.ssrcOf(index) : 0, clock.now());
		return {
			status: 200,
			headers: { "Content-Base": `${url.origin}/${path}/`, "Content-Type": "application/sdp" },
			body: writeDescription(stream.tracks, {
				title: path,
				isV6: this.#peer.address.includes(":"),
				keyOf: isSecure && udp !== null ? keyOf : null,
				backChannel,
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
		const { opener, headers } = this.#openerOf(request, transport, media[index]?.keyManagement ?? null);
		setups.set(index, { transport, opener });
		return { status: 200, headers: { Transport: writeTransport(transport, "record", null), ...headers } };
	}

	/** What decrypts the media that the client sends, and what it is told about that. @throws ProtocolError `rtsp.transport` */
	#openerOf(
		{ headers, url }: RtspRequest,
		{ secure }: Transport,
		described: string | null,
	): { readonly opener: Opener | null; readonly headers: Readonly<Record<string, string>> } {
		if (!secure) return { opener: null, headers: {} };
		const message = keyManagementOf(headers.get("keymgmt") ?? "") ?? described;
		if (message === null)
			throw new ProtocolError("rtsp.transport", "RTP/SAVP takes a key: send it in a KeyMgmt header");
		const opener = new Opener(message);
		const ours = opener.reports.message(randomBytes(4).readUInt32BE(), this.#env.clock.now());
		return { opener, headers: { KeyMgmt: writeKeyManagement(url, ours) } };
	}

	async #setupPlay(request: RtspRequest): Promise<RtspResponse> {
		const state = this.#expectState("init", "ready");
		const reading = state.kind === "ready" ? state : await this.#toRead(request);
		const { path, stream, transports, talker } = reading;
		const index = mediaIndexOf(request.url) ?? (stream.tracks.length === 1 ? 0 : -1);
		const mayTalk = this.#described?.talks === true || wantsBackChannel(request.headers);
		if (index === stream.tracks.length && mayTalk) return this.#setupTalk(request, reading, index);
		if (stream.tracks[index] === undefined)
			throw new GoneError("stream.not_found", `Path ${path} has no media of this control URL`);
		let { groups } = reading;
		const transport = this.#agree(request, "play", index, withTalker(transports, talker, stream), () => {
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

	/** The media on which the reader talks. */
	#setupTalk(request: RtspRequest, reading: Reading, index: number): RtspResponse {
		const { stream, transports, talker } = reading;
		const transport = this.#agree(request, "play", index, transports, null);
		if (transport.protocol === "multicast") throw new TypeError("Nobody can have agreed to talk to a group");
		const { opener, headers } = this.#openerOf(request, transport, null);
		talker?.[Symbol.dispose]();
		this.#state = { ...reading, kind: "ready", talker: new Talker({ stream, transport, opener }) };
		return { status: 200, headers: { Transport: writeTransport(transport, "play", null), ...headers } };
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
				: { stream: await this.#env.table.read(path, this.#signal, query) };
		return { path, query, stream, transports: new Map(), groups: null, talker: null };
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
					remoteAddress: this.#remoteAddress,
					query,
				},
				onEvicted: (reason) => this.close(reason),
			},
			this.#signal,
		);
		if (this.#closed) {
			publication.close();
			throw abortedError(this.#signal);
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
		this.log.info({ path, tracks: publication.tracks.map(({ codec }) => codec.name) }, "A publisher came");
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
		const { path, query, stream, transports, groups, talker } = state;
		const { isSecure, udp } = this.#env;
		const routes: Disposable[] = [];
		try {
			const reader = new Reader({
				env: this.#env,
				owner: this,
				stream,
				transports,
				peer: this.#peer,
				info: {
					id: this.id,
					type: isSecure ? "rtspsSession" : "rtspSession",
					remoteAddress: this.#remoteAddress,
					query,
				},
			});
			if (groups !== null) routes.push(groups.listen());
			for (const transport of transports.values()) {
				if (transport.protocol !== "udp") continue;
				// Receiver reports keep a session alive. RFC 2326 §A.
				const route = udp?.rtcp.receive(this.#peer.address, transport.clientPorts[1], () => this.#hear());
				if (route != null) routes.push(route);
			}
			if (talker?.transport.protocol === "udp") routes.push(...this.#listen(talker, talker.transport.clientPorts));
			this.#state = { ...state, kind: "playing", reader, routes };
			this.log.info({ path }, "A reader came");
		} catch (error) {
			// The stream ended, or filled up, since it was described: PLAY was answered, so the connection tells.
			this.close(
				error instanceof SluiceError
					? error
					: new GoneError("session.closed", "The stream cannot be read", { cause: error }),
			);
		}
	}

	/** Takes what a reader says by UDP. */
	#listen(talker: Talker, [rtpPort, rtcpPort]: readonly [number, number]): Disposable[] {
		const { udp } = this.#env;
		const rtp = udp?.rtp.receive(this.#peer.address, rtpPort, (bytes) => {
			this.#hear();
			this.#bytesReceived += bytes.length;
			talker.packet(bytes, 0, bytes.length);
		});
		const rtcp = udp?.rtcp.receive(this.#peer.address, rtcpPort, () => this.#hear());
		if (rtp == null) this.log.warn({ rtpPort }, "The reader cannot talk: its port belongs to another session");
		return [rtp, rtcp].filter((route) => route != null);
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
		if (state.kind === "ready" || state.kind === "playing") {
			state.groups?.[Symbol.dispose]();
			state.talker?.[Symbol.dispose]();
		}
	}

	async #authorize(
		action: "publish" | "read",
		path: PathName,
		{ method, headers }: RtspRequest,
		url: RtspUrl,
	): Promise<void> {
		const before = this.#access?.request;
		if (before?.action === action && before.path === path) return;
		// A client that was asked nothing cannot know a nonce either: any challenge will do.
		const challenge = this.#challenge ?? new Challenge(this.#env.authMethods);
		const request: AccessRequest = {
			action,
			path,
			protocol: "rtsp",
			ip: this.#peer.address,
			id: this.id,
			query: url.query.toString(),
			userAgent: headers.get("user-agent") ?? "",
			...challenge.credentialsOf(method, headers, url),
		};
		const grant = await this.#env.authenticator.authorize(request, this.#signal);
		this.#access = { request, grant };
	}

	/** @throws ProtocolError `rtsp.state` */
	#expectState<K extends SessionState["kind"]>(...kinds: K[]): Extract<SessionState, { kind: K }> {
		if ((kinds as string[]).includes(this.#state.kind)) return this.#state as Extract<SessionState, { kind: K }>;
		throw new ProtocolError("rtsp.state", `This method is not valid in the state ${this.#state.kind}`);
	}

	/** What came cannot be understood: the client is told, and the connection ends. */
	#fail(error: unknown): void {
		if (!(error instanceof SluiceError)) this.log.error({ err: error }, "A connection failed for a fault of ours");
		if (this.#state.kind === "init") this.#peer.send(writeResponse(this.#refusalOf(error)));
		this.close(
			error instanceof SluiceError
				? error
				: new GoneError("session.closed", "Something went wrong on our side", { cause: error }),
		);
	}
}

/** The transports of all media, the back channel's among them. */
function withTalker(
	transports: ReadonlyMap<number, Transport>,
	talker: Talker | null,
	{ tracks }: ReadableStreamOfPath,
): ReadonlyMap<number, Transport> {
	return talker === null ? transports : new Map([...transports, [tracks.length, talker.transport]]);
}

/** Where a reader of `url` is sent: a path of ours keeps the address that the reader knows us by. */
function movedTo(url: string, location: string): string {
	return location.startsWith("/") ? `${parseRtspUrl(url).origin}${location}` : location;
}
