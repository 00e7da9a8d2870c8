import type { StreamWarning } from "#shared/nodes/node-streams.ts";

const TITLES: Readonly<Record<StreamWarning["code"], string>> = {
	gop_too_long: "Key frames too far apart",
	b_frames: "B-frames",
	upload_lag: "Upload lags behind",
	no_audio: "No sound",
	no_video: "No picture",
	packet_loss: "Packets are lost",
	not_in_hls: "A track is not in HLS",
};

/** A short name of a warning, for badges; what to do about it is in its message. */
export function warningTitle(code: StreamWarning["code"]): string {
	return TITLES[code] ?? code;
}
