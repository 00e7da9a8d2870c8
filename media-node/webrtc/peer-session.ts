/** One peer connection: what HTTP, the control API and the media of it have in common. */

import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, hasCode, InputError, ProtocolError, SluiceError } from "#shared/problem.ts";
import type { AccessRequest, Authenticator, Grant } from "../access/access.ts";
import type { Logger } from "../log.ts";
import { localTransportOf, type RemoteTransport, remoteDescriptionOf } from "./sdp/negotiation.ts";
import type { IceCredentials, Sdp } from "./sdp/sdp.ts";
import type { IceFragment } from "./sdp/trickle.ts";
import type { TransportStats, WebRtcTransport } from "./transport/transport.ts";
import type { WebRtcSession } from "./webrtc-sessions.ts";

/** A session, as the API and the metrics show it. */
export type PeerSnapshot = {
	readonly id: string;
	readonly createdMs: number;
	/** Of the connection that media take; the client's address, without port, before there is one. */
	readonly remoteAddress: string;
	readonly connected: boolean;
	readonly state: "read" | "publish";
	readonly path: PathName;
	readonly query: string;
	readonly user: string;
	readonly userAgent: string;
	readonly bytesReceived: number;
	readonly bytesSent: number;
	/** Of RTP. */
	readonly packetsReceived: number;
	readonly packetsSent: number;
	readonly rtcpPacketsReceived: number;
	readonly rtcpPacketsSent: number;
	/** Such as `host/udp/192.0.2.1/8189`; empty before there is a connection. */
	readonly localCandidate: string;
	readonly remoteCandidate: string;
} & PeerFigures;

/** How media flow, as the numbers of packets and the reports of the peer tell. */
export type PeerFigures = {
	/** Packets that never came, as the numbers tell or as the viewer says. */
	readonly packetsLost: number;
	/** Packets that were lost and came when they were asked for again or were made of others, or were sent again to a viewer. */
	readonly packetsRepaired: number;
	/** Of a publisher: those of them that were made of others. */
	readonly recoveredByFec?: number;
	/** In seconds, of the track where it is highest. */
	readonly jitter: number;
	/** In seconds; `null` until it is known. */
	readonly roundTrip: number | null;
	/** Bits of media per second, over the last second. */
	readonly bitrate: number;
	/** Bits per second that the way to a viewer carries, as far as it was found to be too thin; `null` while it was not. */
	readonly bitrateLimit: number | null;
	/** Key frames that were asked for: by a viewer, which does so after each loss that nothing repaired; of a publisher. */
	readonly keyFrameRequests: number;
	/** How often the video of a viewer was held up to a key frame, for the network was too thin. */
	readonly freezes: number;
	/** Packets of pictures that a viewer on a thin link was spared. */
	readonly framesDiscarded: number;
};

/** What flows over a session once it is connected. */
export type PeerMedia = Disposable & { readonly figures: PeerFigures };

export type PeerSessionOptions = {
	readonly id: string;
	readonly action: "publish" | "read";
	readonly path: PathName;
	readonly access: AccessRequest;
	readonly grant: Grant;
	readonly transport: WebRtcTransport;
	/** What answers the peer's offer, or a counter-offer. */
	readonly answer: Sdp;
	/** What offer and answer agree on; of a counter-offer, what makes it of the peer's answer. */
	readonly agreed: Agreed | ((answer: Sdp) => Agreed);
	readonly authenticator: Authenticator;
	readonly clock: Clock;
	readonly log: Logger;
};

/** The peer, and what happens when it has connected. */
export type Agreed = {
	readonly remote: RemoteTransport;
	/** Lets media flow: called once. What it throws ends the session. */
	readonly begin: (session: PeerSession) => Promise<PeerMedia> | PeerMedia;
};

/** How long a counter-offer can be answered. draft-ietf-wish-whep §4.2. */
const COUNTER_OFFER_MS = 30_000;
const NO_CREDENTIALS: IceCredentials = { ufrag: "", pwd: "" };

const NO_FIGURES: PeerFigures = {
	packetsLost: 0,
	packetsRepaired: 0,
	jitter: 0,
	roundTrip: null,
	bitrate: 0,
	bitrateLimit: null,
	keyFrameRequests: 0,
	freezes: 0,
	framesDiscarded: 0,
};
/** What takes a right away; anything else that goes wrong while asking does not. */
const REFUSALS = [
	"access.token_missing",
	"access.token_invalid",
	"access.token_expired",
	"access.token_revoked",
	"access.forbidden",
	"access.credentials",
] as const;

export class PeerSession implements WebRtcSession {
	readonly id: string;
	readonly answer: Sdp;
	readonly closed: Promise<SluiceError>;
	readonly #options: PeerSessionOptions;
	readonly #createdMs: number;
	readonly #ended = Promise.withResolvers<SluiceError>();
	readonly #abort = new AbortController();
	#grant: Grant;
	/** `null` until a counter-offer was answered. */
	#agreed: Agreed | null = null;
	#remote: RemoteTransport | null = null;
	#etag = randomUUID();
	#media: PeerMedia | null = null;
	/** Of media that have ended. */
	#lastFigures = NO_FIGURES;
	#connected = false;

	constructor(options: PeerSessionOptions) {
		const { id, answer, transport, agreed, clock, grant } = options;
		this.id = id;
		this.answer = answer;
		this.closed = this.#ended.promise;
		this.#options = options;
		this.#grant = grant;
		this.#createdMs = clock.now();
		transport.onClosed = (reason) => this.end(reason);
		if (typeof agreed === "object") this.#agree(agreed);
		transport.connected.then(() => this.#begin()).catch((error: unknown) => this.end(this.#reasonOf(error)));
	}

	get isCounterOffer(): boolean {
		return typeof this.#options.agreed === "function";
	}

	get etag(): string {
		return this.#etag;
	}

	get remoteIce(): IceCredentials {
		return this.#remote?.ice ?? NO_CREDENTIALS;
	}

	/** Fires when the session has ended. */
	get signal(): AbortSignal {
		return this.#abort.signal;
	}

	get isClosed(): boolean {
		return this.#abort.signal.aborted;
	}

	/** Host and port of the peer, or its host alone before it has connected. */
	get remoteAddress(): string {
		const { selected } = this.#options.transport.stats;
		if (selected === null) return this.#options.access.ip;
		const { address, port } = selected;
		return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
	}

	get snapshot(): PeerSnapshot {
		const { id, path, action, access, transport } = this.#options;
		const { bytesReceived, bytesSent, packetsReceived, packetsSent, selected } = transport.stats;
		const { rtcpPacketsReceived, rtcpPacketsSent } = transport.stats;
		return {
			...{ id, path, state: action, createdMs: this.#createdMs, remoteAddress: this.remoteAddress },
			...{ connected: this.#connected, query: access.query, user: this.#grant.subject, userAgent: access.userAgent },
			...{ bytesReceived, bytesSent, packetsReceived, packetsSent, rtcpPacketsReceived, rtcpPacketsSent },
			localCandidate: selected === null ? "" : localName(this.answer, selected),
			remoteCandidate: selected === null || this.#remote === null ? "" : remoteName(this.#remote, selected),
			...(this.#media?.figures ?? this.#lastFigures),
		};
	}

	accept(answer: Sdp): void {
		const { agreed } = this.#options;
		if (typeof agreed !== "function" || this.#agreed !== null || this.isClosed) {
			throw new InputError("input.invalid", "There is no offer of the node that waits for an answer");
		}
		this.#agree(agreed(answer));
	}

	/** A node that does ICE lite answers checks and sends none: it has no use for addresses. RFC 8445 §2.5. */
	addCandidates(_fragment: IceFragment): void {}

	async iceRestart({ ice }: IceFragment): Promise<IceFragment> {
		const { transport } = this.#options;
		if (this.isClosed || ice === null || this.#remote === null) {
			throw new ProtocolError("media.unsupported", "The session cannot be restarted: it has ended");
		}
		transport.restart();
		this.#remote = { ...this.#remote, ice };
		transport.setRemote(remoteDescriptionOf(this.#remote));
		this.#etag = randomUUID();
		const local = localTransportOf(transport.local, "0");
		return {
			ice: local.ice,
			iceOptions: [],
			iceLite: true,
			section: null,
			candidates: local.candidates,
			endOfCandidates: true,
		};
	}

	/** Ends the session when its time is up. Called about once a second. */
	tick(): void {
		const { expiresMs } = this.#grant;
		const nowMs = this.#options.clock.now();
		if (this.#agreed === null && nowMs - this.#createdMs >= COUNTER_OFFER_MS) {
			this.end(new GoneError("session.closed", "The viewer did not answer the counter-offer"));
		}
		if (expiresMs === null || nowMs < expiresMs) return;
		this.end(new GoneError("session.closed", "The token of the session has expired: begin again with a newer one"));
	}

	/** Asks again whether the client may do what it does: who decides has changed. Never fails. */
	async reauthorize(): Promise<void> {
		const { authenticator, access, log } = this.#options;
		try {
			this.#grant = await authenticator.authorize(access, this.signal);
		} catch (error) {
			if (this.isClosed) return;
			if (hasCode(error, ...REFUSALS)) {
				this.end(new GoneError("session.closed", "The client may no longer do this", { cause: error }));
			} else if (!(error instanceof SluiceError)) {
				log.error({ err: error }, "A session could not be checked again");
			}
		}
	}

	/** Ends the session, for a reason that is logged. Idempotent. */
	end(reason: SluiceError): void {
		if (this.isClosed) return;
		const { transport, action, log, path } = this.#options;
		this.#lastFigures = this.#media?.figures ?? NO_FIGURES;
		this.#abort.abort(reason);
		this.#media?.[Symbol.dispose]();
		this.#media = null;
		const who = action === "publish" ? "publisher" : "reader";
		const { bytesReceived, bytesSent } = transport.stats;
		const { packetsLost, packetsRepaired, recoveredByFec, jitter, roundTrip, keyFrameRequests, freezes } =
			this.#lastFigures;
		const figures = {
			bytesReceived,
			bytesSent,
			packetsLost,
			packetsRepaired,
			recoveredByFec,
			jitter,
			roundTrip,
			keyFrameRequests,
			freezes,
		};
		log.info({ path, reason: reason.message, ...figures }, `A WebRTC ${who} left`);
		transport
			.close()
			.catch((error: unknown) => log.error({ err: error }, "A WebRTC transport could not be closed"))
			.finally(() => this.#ended.resolve(reason));
	}

	async close(): Promise<void> {
		this.end(new GoneError("session.closed", "The client ended the session"));
		await this.closed;
	}

	#agree(agreed: Agreed): void {
		this.#agreed = agreed;
		this.#remote = agreed.remote;
		this.#options.transport.setRemote(remoteDescriptionOf(agreed.remote));
	}

	async #begin(): Promise<void> {
		const { log, path, action } = this.#options;
		if (this.isClosed || this.#agreed === null) return;
		this.#connected = true;
		const media = await this.#agreed.begin(this);
		if (this.isClosed) {
			media[Symbol.dispose]();
			return;
		}
		this.#media = media;
		log.info(
			{ path, remoteAddress: this.remoteAddress },
			`A WebRTC ${action === "publish" ? "publisher" : "reader"} came`,
		);
	}

	#reasonOf(error: unknown): SluiceError {
		if (error instanceof SluiceError) return error;
		// Whoever ended the session said why.
		if (!this.isClosed) this.#options.log.error({ err: error }, "A WebRTC session failed for a fault of ours");
		return new GoneError("session.closed", "The session ended because of an error inside the node", { cause: error });
	}
}

type Selected = NonNullable<TransportStats["selected"]>;

/** Which of our addresses a packet came to is not told by the socket: it is the first one of the kind. */
function localName({ sections }: Sdp, { transport, address }: Selected): string {
	const isV6 = address.includes(":");
	const candidates = sections.flatMap((section) => section.candidates);
	const found = candidates.find((each) => each.protocol === transport && each.address.includes(":") === isV6);
	return found === undefined ? "" : `${found.type}/${transport}/${found.address}/${found.port}`;
}

/** One that the peer did not tell was found by its checks. RFC 8445 §7.3.1.3. */
function remoteName({ candidates }: RemoteTransport, { transport, address, port }: Selected): string {
	const told = candidates.find((each) => each.address === address && each.port === port);
	return `${told?.type ?? "prflx"}/${transport}/${address}/${port}`;
}
