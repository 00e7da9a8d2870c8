/** Begins WebRTC sessions, and keeps them until they end. */

import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode } from "#shared/problem.ts";
import type { AccessRequest, Authenticator } from "../access/access.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath, StreamTable } from "../stream/publication.ts";
import { type Agreed, PeerSession, type PeerSessionOptions, type PeerSnapshot } from "./peer-session.ts";
import { publishMedia } from "./publish-media.ts";
import { readMedia } from "./read-media.ts";
import { transportOfAnswer } from "./sdp/client-offer.ts";
import { answerPublisher } from "./sdp/negotiate-publish.ts";
import { pushedTracks, pushOffer } from "./sdp/negotiate-push.ts";
import { answerViewer, type DataTrack, type LeftOutTrack, type OutgoingTrack } from "./sdp/negotiate-read.ts";
import { localTransportOf } from "./sdp/negotiation.ts";
import type { Sdp } from "./sdp/sdp.ts";
import { withoutMadeSound } from "./send/made-sound.ts";
import type { WebRtcEndpoint } from "./transport/endpoint.ts";
import type { WebRtcTransport } from "./transport/transport.ts";
import type { SessionRequest, WebRtcSession, WebRtcSessions } from "./webrtc-sessions.ts";

const TICK_MS = 1_000;

export type SessionsOptions = {
	readonly endpoint: WebRtcEndpoint;
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	/** The sound of a stream in Opus, made of another codec: a stream of this one track; `null` when there is none to make. */
	readonly opusOf: (stream: ReadableStreamOfPath) => ReadableStreamOfPath | null;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Answers the offer, once there is a transport. */
type Agree = (transport: WebRtcTransport, id: string) => Pick<PeerSessionOptions, "answer" | "agreed">;

type Viewing = {
	readonly request: SessionRequest;
	readonly stream: ReadableStreamOfPath;
	readonly opus: ReadableStreamOfPath | null;
	readonly sent: readonly OutgoingTrack[];
	readonly data: DataTrack | null;
	readonly transport: WebRtcTransport;
};

export class Sessions implements WebRtcSessions, AsyncDisposable {
	readonly #options: SessionsOptions;
	readonly #sessions = new Map<string, PeerSession>();
	readonly #timer: Disposable;
	#isClosing = false;

	constructor(options: SessionsOptions) {
		this.#options = options;
		this.#timer = options.clock.every(TICK_MS, () => {
			for (const session of [...this.#sessions.values()]) session.tick();
		});
	}

	publish(request: SessionRequest): Promise<WebRtcSession> {
		const { table, clock, log } = this.#options;
		return this.#open("publish", request, () => (transport, id) => {
			const { path, offer, access } = request;
			const options = { local: localTransportOf(transport.local, sessionId()), acceptDataChannel: false };
			const { answer, remote, media } = answerPublisher(offer, options);
			const asked = {
				path,
				tracks: media.map(({ track }) => track),
				publisher: { id, protocol: "webrtc", type: "webRTCSession", remoteAddress: access.ip, query: access.query },
				onEvicted: () => undefined,
			};
			// The client is still there to be told; the stream begins when it has connected.
			table.expectVacancy(asked);
			const begin = (session: PeerSession) =>
				publishMedia(session, { table, request: asked, media, transport, clock, log });
			return { answer, agreed: { remote, begin } };
		});
	}

	read(request: SessionRequest): Promise<WebRtcSession> {
		const { table, opusOf } = this.#options;
		return this.#open("read", request, async () => {
			const { path, offer, access, signal } = request;
			// It may have to be started first, and the peer's time to connect does not run meanwhile.
			const stream = await table.read(path, signal, access.query);
			return (transport) => {
				const opus = opusOf(stream);
				const tracks = [...stream.tracks, ...(opus?.tracks ?? [])];
				const options = {
					local: localTransportOf(transport.local, sessionId()),
					cname: randomBytes(8).toString("hex"),
					newSsrc: () => randomBytes(4).readUInt32BE(),
				};
				const begin = (sent: readonly OutgoingTrack[], data: DataTrack | null) =>
					this.#viewing({ request, stream, opus, sent, data, transport });
				try {
					const { answer, remote, tracks: sent, leftOut, data } = answerViewer(offer, tracks, options);
					this.#tellLeftOut(path, leftOut, sent);
					return { answer, agreed: { remote, begin: begin(sent, data) } };
				} catch (error) {
					if (!hasCode(error, "media.unsupported")) throw error;
					const pushed = pushOffer(tracks, options);
					const agreed = (answer: Sdp) => {
						return {
							remote: transportOfAnswer(pushed.offer, answer),
							begin: begin(pushedTracks(pushed, answer), null),
						};
					};
					return { answer: { ...pushed.offer, iceLite: true }, agreed };
				}
			};
		});
	}

	async authorize(access: AccessRequest, signal: AbortSignal): Promise<void> {
		await this.#options.authenticator.authorize(access, signal);
	}

	/** Every session, as the API and the metrics show it. */
	list(): PeerSnapshot[] {
		return [...this.#sessions.values()].map(({ snapshot }) => snapshot);
	}

	/** Ends a session. Says whether there was one. */
	kick(id: string): boolean {
		const session = this.#sessions.get(id);
		session?.end(new GoneError("session.closed", "The session was ended by the administrator"));
		return session !== undefined;
	}

	/** Who may do what has changed: every session asks again. */
	reauthorize(): void {
		for (const session of this.#sessions.values()) void session.reauthorize();
	}

	/** Ends every session, and waits for them. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#isClosing = true;
		this.#timer[Symbol.dispose]();
		const sessions = [...this.#sessions.values()];
		for (const session of sessions) session.end(stopping());
		await Promise.all(sessions.map(({ closed }) => closed));
	}

	/** What a viewer gets once it has connected. */
	#viewing({ request, stream, opus, sent, data, transport }: Viewing): Agreed["begin"] {
		const { clock, log } = this.#options;
		const { tracks, sound } = withoutMadeSound(sent, opus);
		const { query } = request.access;
		return (session) => readMedia(session, { stream, tracks, sound, data, query, transport, clock, log });
	}

	/** Sound that is there in one codec lacks in no other. */
	#tellLeftOut(path: PathName, leftOut: readonly LeftOutTrack[], sent: readonly OutgoingTrack[]): void {
		const hasSound = sent.some(({ track }) => track.kind === "audio");
		for (const { track, reason } of leftOut) {
			if (hasSound && track.kind === "audio") continue;
			this.#options.log.info({ path }, `A WebRTC reader does not get ${reason}`);
		}
	}

	async #open(
		action: "publish" | "read",
		{ path, access: shown, signal }: SessionRequest,
		prepare: () => Promise<Agree> | Agree,
	): Promise<WebRtcSession> {
		const { endpoint, authenticator, clock, log } = this.#options;
		const id = randomUUID();
		const access = { ...shown, id };
		const grant = await authenticator.authorize(access, signal);
		const agree = await prepare();
		if (this.#isClosing) throw stopping();
		const transport = endpoint.createTransport();
		try {
			const agreed = agree(transport, id);
			const options = { ...agreed, id, action, path, access, grant, transport, authenticator, clock };
			const session = new PeerSession({ ...options, log: log.child({ session: id }) });
			this.#sessions.set(id, session);
			void session.closed.then(() => this.#sessions.delete(id));
			return session;
		} catch (error) {
			await transport.close();
			throw error;
		}
	}
}

function stopping(): GoneError {
	return new GoneError("session.closed", "The media node is stopping");
}

/** RFC 8829 §5.2.1: 64 bits, of which the first is 0. */
function sessionId(): string {
	return (randomBytes(8).readBigUInt64BE() >> 1n).toString();
}
