import type { Vp9Picture } from "./vp9.ts";

/** The codecs of a track and what a decoder must know before its first frame. Names are MediaMTX's. */
export type Codec =
	| H264Codec
	| H265Codec
	| Mpeg4VideoCodec
	| Av1Codec
	| Vp9Codec
	/** Whatever a decoder of these must know stands in their key frames. */
	| { readonly name: "VP8" | "MPEG-1/2 Video" | "M-JPEG" }
	/** Raw frames, whether RTP carries them by RFC 3640 or, as LATM, by RFC 6416. */
	| { readonly name: "MPEG-4 Audio" /** AudioSpecificConfig, ISO 14496-3 §1.6.2.1 */; readonly config: Uint8Array }
	/** 3 to 8 channels are `multiopus`, in the order of Vorbis. */
	| { readonly name: "Opus"; readonly channels: number }
	| { readonly name: "MPEG-1/2 Audio" }
	| { readonly name: "AC3"; readonly sampleRate: number; readonly channels: number }
	| { readonly name: "G722"; readonly channels: number }
	/** Kbit/s: 16, 24, 32 or 40. `packing`: which end of a byte the first sample is at, RFC 3551 §4.5.4 and AAL2. */
	| { readonly name: "G726"; readonly bitRate: number; readonly packing: "rfc3551" | "aal2" }
	| { readonly name: "G711"; readonly law: "a" | "mu"; readonly sampleRate: number; readonly channels: number }
	/** Big-endian samples of 8, 16 or 24 bits; those of 8 are unsigned. */
	| { readonly name: "LPCM"; readonly bitDepth: number; readonly sampleRate: number; readonly channels: number }
	| { readonly name: "KLV" | "MPEG-TS" }
	/** Anything else that RTP carries: passed through to RTSP readers as it is. */
	| { readonly name: "Generic" };

/** Parameter sets are NAL units without start code. They may be unknown until the first key frame. */
export type H264Codec = { readonly name: "H264"; readonly sps: Uint8Array | null; readonly pps: Uint8Array | null };
export type H265Codec = {
	readonly name: "H265";
	readonly vps: Uint8Array | null;
	readonly sps: Uint8Array | null;
	readonly pps: Uint8Array | null;
};
/** What a decoder must know stands in key frames; here is what the newest one said, once there was one. */
export type Av1Codec = { readonly name: "AV1" /** An OBU without size field. */; readonly sequenceHeader?: Uint8Array };
export type Vp9Codec = { readonly name: "VP9"; readonly picture?: Vp9Picture };
/** Visual object sequence, visual object and video object layer headers, with start codes; `null` while unknown. */
export type Mpeg4VideoCodec = { readonly name: "MPEG-4 Video"; readonly config: Uint8Array | null };

export type CodecName = Codec["name"];
