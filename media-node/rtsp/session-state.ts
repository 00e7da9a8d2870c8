/** In which state an RTSP session is, and how it is shown. RFC 2326 §A.1. */

import type { PathName } from "#shared/path-name.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import type { StreamGroups } from "./multicast.ts";
import type { Publisher } from "./publisher.ts";
import type { Reader } from "./reader.ts";
import type { AnnouncedMedia } from "./sdp.ts";
import type { Opener } from "./secure.ts";
import type { Talker } from "./talker.ts";
import type { Transport, UnicastTransport } from "./transport.ts";
import type { Tunnel } from "./wire.ts";

export type Announced = {
	readonly kind: "announced";
	readonly path: PathName;
	readonly query: string;
	readonly media: readonly AnnouncedMedia[];
	/** By media: what was set up, and what decrypts it when it is SRTP. */
	readonly setups: Map<number, { readonly transport: UnicastTransport; readonly opener: Opener | null }>;
};

export type Recording = {
	readonly kind: "recording";
	readonly path: PathName;
	readonly publisher: Publisher;
	readonly transport: UnicastTransport;
	/** What a PAUSE goes back to. */
	readonly announced: Announced;
};

export type Reading = {
	readonly path: PathName;
	readonly query: string;
	readonly stream: ReadableStreamOfPath;
	readonly transports: Map<number, Transport>;
	/** Held while a media is read from its multicast group. */
	readonly groups: StreamGroups | null;
	/** The reader has set up the back channel. */
	readonly talker: Talker | null;
};

export type Ready = Reading & { readonly kind: "ready" };
export type Playing = Reading & {
	readonly kind: "playing";
	readonly reader: Reader;
	readonly routes: readonly Disposable[];
};

export type SessionState = { readonly kind: "init" } | Announced | Recording | Ready | Playing;

/** A connection and its session, as the API and the metrics show it. */
export type SessionSnapshot = {
	readonly id: string;
	readonly createdMs: number;
	readonly remoteAddress: string;
	readonly state: "idle" | "read" | "publish";
	readonly path: PathName | null;
	readonly query: string;
	readonly user: string;
	readonly userAgent: string;
	readonly transport: "tcp" | "udp" | "multicast" | null;
	readonly secure: boolean;
	readonly tunnel: Tunnel;
	readonly bytesReceived: number;
	readonly bytesSent: number;
	readonly packetsSent: number;
	readonly packetsDiscarded: number;
	readonly packetsLost: number;
};

/** What was agreed on for the first media; `null` before. */
export function transportOf(state: SessionState): Transport | null {
	switch (state.kind) {
		case "init":
			return null;
		case "announced":
			return [...state.setups.values()][0]?.transport ?? null;
		case "recording":
			return state.transport;
		default:
			return [...state.transports.values()][0] ?? state.talker?.transport ?? null;
	}
}

/** Packets go beside the connection: the client must show signs of life over it. */
export function usesDatagrams(state: SessionState): boolean {
	const transport = transportOf(state);
	return transport !== null && transport.protocol !== "tcp";
}
