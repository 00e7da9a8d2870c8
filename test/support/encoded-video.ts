import { splitAnnexB } from "../../media-node/codecs/annexb.ts";
import { probePackets } from "./ffmpeg.ts";
import { sample } from "./media.ts";
import { run } from "./program.ts";

/** An access unit of a real encoder, with the time stamps that it gave, in 1/90000 s. */
export type EncodedUnit = {
	readonly frames: readonly Uint8Array[];
	readonly pts: number;
	readonly dts: number;
	readonly key: boolean;
};

/** Encodes a moving test picture with the options of ffmpeg; the file's name. */
export function encodeVideoFile(codec: "h264" | "hevc", options: readonly string[]): Promise<string> {
	const encoder = codec === "h264" ? "libx264" : "libx265";
	const video = [encoder, ...options, "-fps_mode", "passthrough", "-video_track_timescale", "90000"];
	return sample({ seconds: 3, rate: "25", size: "160x120", audio: null, video });
}

/** The access units of {@link encodeVideoFile} in decoding order, with parameter sets before each key frame. */
export async function encodeVideo(codec: "h264" | "hevc", options: readonly string[]): Promise<EncodedUnit[]> {
	const file = await encodeVideoFile(codec, options);
	const raw = ["-c", "copy", "-bsf:v", `${codec}_mp4toannexb`, "-f", codec, "-"];
	const units = splitUnits(codec, splitAnnexB(await run("ffmpeg", ["-v", "error", "-i", file, ...raw])));
	const packets = await probePackets(file, "v:0");
	if (units.length !== packets.length) throw new Error(`${units.length} units, but ${packets.length} packets`);
	return units.map((frames, i) => {
		const { pts, dts, key } = packets[i]!;
		return { frames, pts, dts, key };
	});
}

/** A unit begins with the first slice of a picture, and with what stands between it and the slice before. */
function splitUnits(codec: "h264" | "hevc", nals: readonly Uint8Array[]): Uint8Array[][] {
	const units: Uint8Array[][] = [];
	let hasSlice = true;
	for (const nal of nals) {
		const type = codec === "h264" ? nal[0]! & 0x1f : nal[0]! >> 1;
		const isSlice = codec === "h264" ? type <= 5 : type < 32;
		const isFirst = isSlice && nal[codec === "h264" ? 1 : 2]! >= 0x80;
		if (hasSlice && (isFirst || !isSlice)) {
			units.push([]);
			hasSlice = false;
		}
		units.at(-1)!.push(nal);
		hasSlice ||= isSlice;
	}
	return units;
}
