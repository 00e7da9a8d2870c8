import type { Codec } from "../codecs/codec.ts";

/** How RTP carries a track: what its media section in an SDP says. */
export type RtpFormat = {
	/** 0 to 127. */
	readonly payloadType: number;
	/** `a=rtpmap` after the payload type, such as `H264/90000` or `opus/48000/2`. */
	readonly encoding: string;
	/** `a=fmtp` after the payload type; empty when there is none. */
	readonly fmtp: string;
};

/** One elementary stream of a publisher. Plain data. */
export type Track = {
	/** Its place in the stream's list of tracks, from 0. */
	readonly index: number;
	readonly kind: "video" | "audio" | "application";
	readonly codec: Codec;
	/** Ticks per second of its time stamps. */
	readonly clockRate: number;
	readonly rtp: RtpFormat;
};
