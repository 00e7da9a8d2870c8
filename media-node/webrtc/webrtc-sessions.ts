import type { PathName } from "#shared/path-name.ts";
import type { AccessRequest } from "../access/access.ts";
import type { IceCredentials, Sdp } from "./sdp/sdp.ts";
import type { IceFragment } from "./sdp/trickle.ts";

/** An offer, and who makes it. */
export type SessionRequest = {
	readonly path: PathName;
	/** For the action `publish` or `read` on the path. */
	readonly access: AccessRequest;
	readonly offer: Sdp;
	/** Fires when the client has gone before it was answered. */
	readonly signal: AbortSignal;
};

/** Begins the sessions that clients ask for over HTTP. */
export interface WebRtcSessions {
	/**
	 * Takes a stream in. The session lives when it returns.
	 *
	 * @throws DeniedError, InputError `path.conflict`, `path.not_configured`, `input.invalid`, ProtocolError
	 * `media.unsupported` when the offer has no codec that is known
	 */
	publish(request: SessionRequest): Promise<WebRtcSession>;

	/**
	 * Gives a stream out. It may wait for a stream that starts on demand. To a viewer that takes nothing of the stream it
	 * makes a counter-offer, draft-ietf-wish-whep §4.2.
	 *
	 * @throws DeniedError, GoneError `stream.not_found` while nobody publishes, InputError `path.not_configured`,
	 * `path.readers`, `input.invalid`, ProtocolError `media.unsupported` when nothing of the stream can be offered to it
	 */
	read(request: SessionRequest): Promise<WebRtcSession>;

	/** Says whether a client may ask for ICE servers, whose credentials are worth something. @throws DeniedError */
	authorize(access: AccessRequest, signal: AbortSignal): Promise<void>;
}

/** One peer connection, until it is closed. */
export interface WebRtcSession {
	/** Shown to everybody who may see sessions: no secret. */
	readonly id: string;
	readonly answer: Sdp;
	/** What is called the answer is an offer: the peer's one could not be met. It has to be answered. */
	readonly isCounterOffer: boolean;
	/** Names the ICE session, without quotation marks: another one after each restart. Letters, digits, `-` and `_`. */
	readonly etag: string;
	/** The peer's, since the last restart. */
	readonly remoteIce: IceCredentials;
	/** Settles when the session has ended, whoever ended it. */
	readonly closed: Promise<unknown>;

	/**
	 * Takes what answers a counter-offer.
	 *
	 * @throws InputError `input.invalid` when it answers nothing; ProtocolError `media.unsupported`, `webrtc.failed`
	 */
	accept(answer: Sdp): void;

	/** Takes the peer's further candidates. What cannot be used is left out. */
	addCandidates(fragment: IceFragment): void;

	/**
	 * Changes the credentials of both ends, and resolves with the node's. When it fails, all is as before.
	 *
	 * @throws ProtocolError `media.unsupported` when the session cannot be restarted
	 */
	iceRestart(fragment: IceFragment): Promise<IceFragment>;

	/** Ends the session. Idempotent. */
	close(): Promise<void>;
}
