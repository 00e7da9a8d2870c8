import type { Codec } from "../codecs/codec.ts";

/** One frame of silence. */
export type Silence = {
	readonly frame: Uint8Array;
	/** How long it lasts on the clock of the track. */
	readonly ticks: number;
};

/** Frames of codecs that have none of their own are as long as those of Opus. */
const FRAMES_PER_SECOND = 50;
const AAC_FRAME_SAMPLES = 1_024;

/** A frame of AAC-LC in which no band of any channel has a coefficient. `channels` is 1 to 8, as in ISO 14496-3 table 1.19. */
export function aacSilence(channels: number): Silence {
	const elements = AAC_ELEMENTS[channels - 1];
	if (elements === undefined) throw new RangeError(`AAC has no layout of ${channels} channels`);
	let bits = "";
	const tags = new Map<string, number>();
	for (const element of elements) {
		const tag = tags.get(element) ?? 0;
		tags.set(element, tag + 1);
		bits += bitsOf(ELEMENT_IDS[element], 3) + bitsOf(tag, 4);
		// A pair without a common window is two channels, one behind the other.
		bits += element === "CPE" ? `0${EMPTY_CHANNEL}${EMPTY_CHANNEL}` : EMPTY_CHANNEL;
	}
	bits += bitsOf(ELEMENT_IDS.END, 3);
	const bytes = new Uint8Array(Math.ceil(bits.length / 8));
	for (const i of bytes.keys()) bytes[i] = Number.parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, "0"), 2);
	return { frame: bytes, ticks: AAC_FRAME_SAMPLES };
}

/** `id_syn_ele` of a `raw_data_block`, ISO 14496-3 §4.4.2.1. */
const ELEMENT_IDS = { SCE: 0, CPE: 1, LFE: 3, END: 7 } as const;

/** What a frame of 1 to 8 channels consists of, ISO 14496-3 table 1.19; seven are the configuration 11. */
const AAC_ELEMENTS: readonly (readonly ("SCE" | "CPE" | "LFE")[])[] = [
	["SCE"],
	["CPE"],
	["SCE", "CPE"],
	["SCE", "CPE", "SCE"],
	["SCE", "CPE", "CPE"],
	["SCE", "CPE", "CPE", "LFE"],
	["SCE", "CPE", "CPE", "SCE", "LFE"],
	["SCE", "CPE", "CPE", "CPE", "LFE"],
];

/**
 * An `individual_channel_stream` without any scale factor band, ISO 14496-3 §4.4.2.7: `global_gain` 8 bits, `ics_info`
 * 11, of which `max_sfb` 0 are 6, and no pulse, noise shaping or gain control.
 */
const EMPTY_CHANNEL = "0".repeat(8 + 11 + 3);

function bitsOf(value: number, length: number): string {
	return value.toString(2).padStart(length, "0");
}

/** 20 ms of Opus: CELT of the full band, code 0, RFC 6716 §3.1, whose range coder says at once that there is silence, §4.3. */
export function opusSilence(channels: 1 | 2): Silence {
	return { frame: Uint8Array.of(channels === 1 ? 0xf8 : 0xfc, 0xff, 0xfe), ticks: 48_000 / FRAMES_PER_SECOND };
}

/** 20 ms of samples: the codes of ITU-T G.711 for zero, or zeros. */
export function sampleSilence(codec: Extract<Codec, { name: "G711" | "LPCM" }>): Silence {
	const ticks = Math.round(codec.sampleRate / FRAMES_PER_SECOND);
	const bytesPerSample = codec.name === "G711" ? 1 : codec.bitDepth / 8;
	const zero = codec.name === "LPCM" ? 0 : codec.law === "mu" ? 0xff : 0xd5;
	return { frame: new Uint8Array(ticks * codec.channels * bytesPerSample).fill(zero), ticks };
}
