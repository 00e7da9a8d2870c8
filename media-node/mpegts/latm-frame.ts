import { hasCode } from "#shared/problem.ts";
import { u8, u16 } from "../bytes/big-endian.ts";
import { type AacConfig, aacFrameTicks, parseAudioSpecificConfig } from "../codecs/aac.ts";
import { parseStreamMuxConfig, readAudioMuxElements, type StreamMuxConfig } from "../codecs/latm.ts";
import type { ReadFrame } from "./audio-frame.ts";

/** `AudioSyncStream`, ISO 14496-3 §1.7.2: eleven bits to find it by, and thirteen of its length. */
const SYNC = 0x2b7;
const HEADER_BYTES = 3;

type Layout = { readonly mux: StreamMuxConfig; readonly aac: AacConfig };

/** Reads AAC in LOAS, ISO 14496-3 §1.7, from the first element that says how it is laid out. */
export function latmReader(): ReadFrame {
	let layout: Layout | null = null;
	return (bytes, at) => {
		if (bytes[at] !== SYNC >> 3) return "damaged";
		if (at + HEADER_BYTES > bytes.length) return "incomplete";
		if (u16(bytes, at) >> 5 !== SYNC) return "damaged";
		const end = at + HEADER_BYTES + (u16(bytes, at + 1) & 0x1fff);
		if (end > bytes.length) return "incomplete";
		const element = bytes.subarray(at + HEADER_BYTES, end);
		layout ??= layoutOf(element);
		if (layout === null) return "damaged";
		const frames = readAudioMuxElements(element, layout.mux, true);
		if (frames === null) return "damaged";
		const { sampleRate } = layout.aac;
		return {
			bytes: end - at,
			frames,
			ticks: aacFrameTicks(layout.aac, sampleRate),
			clockRate: sampleRate,
			codec: { name: "MPEG-4 Audio", config: layout.mux.config },
		};
	};
}

/** What the StreamMuxConfig behind the first bit of an AudioMuxElement says; `null` when there is none of use. */
function layoutOf(element: Uint8Array): Layout | null {
	if (element.length === 0 || u8(element, 0) >= 0x80) return null; // useSameStreamMux
	const shifted = Uint8Array.from(element, (byte, i) => (byte << 1) | ((element[i + 1] ?? 0) >> 7));
	try {
		const mux = parseStreamMuxConfig(shifted);
		return { mux, aac: parseAudioSpecificConfig(mux.config) };
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
}
