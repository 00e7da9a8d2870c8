import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import type { Authenticator } from "../access/access.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath, StreamTable } from "../stream/publication.ts";
import type { TransportKind } from "./agree.ts";
import type { AuthMethodName } from "./credentials.ts";
import type { RtspRequest } from "./message.ts";
import type { MulticastGroups } from "./multicast.ts";
import type { Peer } from "./peer.ts";
import type { ReaderOwner } from "./reader.ts";
import type { RtspUrl } from "./rtsp-url.ts";
import type { SessionState } from "./session-state.ts";
import type { UdpSockets } from "./udp.ts";
import type { Tunnel } from "./wire.ts";

/** What all sessions of a listener share. */
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

/** What a client was told of a path. `talks`: it asked for the back channel, and there is one. */
export type Described = {
	readonly path: PathName;
	readonly query: string;
	readonly stream: ReadableStreamOfPath;
	readonly talks: boolean;
};

/** A session, as its methods see it: each of them is a function that changes its state. */
export interface SessionContext extends ReaderOwner {
	readonly id: string;
	readonly env: SessionEnvironment;
	readonly peer: Peer;
	readonly log: Logger;
	readonly remoteAddress: string;
	/** Fires when the session is closed. */
	readonly signal: AbortSignal;
	readonly isClosed: boolean;
	state: SessionState;
	described: Described | null;
	/** The client shows a sign of life. */
	hear(): void;
	/** Bytes that came beside the connection. */
	received(count: number): void;
	/** @throws DeniedError, StoreError: what {@link Authenticator.authorize} throws */
	authorize(action: "publish" | "read", path: PathName, request: RtspRequest, url: RtspUrl): Promise<void>;
	/** @throws ProtocolError `rtsp.state` */
	expectState<K extends SessionState["kind"]>(...kinds: K[]): Extract<SessionState, { kind: K }>;
	close(reason?: SluiceError | null): void;
}
