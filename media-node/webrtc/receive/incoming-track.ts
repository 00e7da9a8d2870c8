import type { Track } from "../../stream/track.ts";
import type { FecFormat } from "../sdp/fec-format.ts";
import type { ExtensionIds } from "../sdp/header-extensions.ts";

/** One media section that a publisher sends, as it was agreed upon. */
export type IncomingTrack = {
	readonly mid: string;
	/** Its index is the one in the publication, and its payload type the only one that is taken. */
	readonly track: Omit<Track, "index">;
	/** Of retransmissions, RFC 4588 §8.1; `null` when there are none. */
	readonly rtxPayloadType: number | null;
	/** Packets may be asked for again: `a=rtcp-fb nack`. */
	readonly hasNack: boolean;
	/** `a=rtcp-fb nack pli`, or the older `ccm fir`; `null`: its sender cannot be asked for key frames. */
	readonly keyFrameRequest: "pli" | "fir" | null;
	/** From `a=ssrc`, each with that of its retransmissions, if any. Empty: they are found by MID, RID, and payload type. */
	readonly ssrcs: readonly { readonly ssrc: number; readonly rtx: number | null }[];
	/** Of `a=simulcast:send`; empty when there is one encoding. */
	readonly rids: readonly string[];
	/** How the publisher may protect the packets; absent when it may not. */
	readonly fec?: FecFormat;
};

/** With the header extensions of its packets. */
export type IncomingMedia = IncomingTrack & { readonly extensions: ExtensionIds };

/** How an encoding of a track comes in. Plain data, for the API, metrics, and logs. */
export type LayerStatistics = {
	/** Empty when the track has one encoding. */
	readonly rid: string;
	readonly ssrc: number;
	/** This one is what readers get. */
	readonly isPublished: boolean;
	readonly packets: number;
	readonly bytes: number;
	/** Bits per second of payloads over the last second. */
	readonly bitrate: number;
	/** Packets that never came, not even when they were asked for. */
	readonly lost: number;
	/** In seconds, RFC 3550 §6.4.1. */
	readonly jitter: number;
	/** Packets that came because they were asked for, and the questions. */
	readonly recovered: number;
	readonly asked: number;
	/** Packets that did not come, and were made of others and of what protects them. */
	readonly recoveredByFec: number;
	/** How long an answer to a question takes, in ms. */
	readonly rttMs: number;
};
