/** The codecs of a track and what a decoder must know before its first frame. Names are MediaMTX's. */
export type Codec =
	| H264Codec
	| H265Codec
	| { readonly name: "MPEG-4 Audio" /** AudioSpecificConfig, ISO 14496-3 §1.6.2.1 */; readonly config: Uint8Array }
	| { readonly name: "Opus"; readonly channels: number }
	| { readonly name: "G711"; readonly law: "a" | "mu"; readonly sampleRate: number; readonly channels: number }
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

export type CodecName = Codec["name"];
