import type { TranscodeInput } from "./transcode-input.ts";

/** What sound can become. */
export type TargetCodec = "Opus" | "AAC";

/** Both encoders run at this rate, and output times count it. Hz. */
export const OUTPUT_CLOCK_RATE = 48_000;
/** Of a packet. */
export const PACKET_SAMPLES = { Opus: 960, AAC: 1024 } as const;
/** By how much the first packet begins before the first sample that came in: what encoders look ahead. */
export const ENCODER_DELAY = { Opus: 312, AAC: 1024 } as const;
/** Gaps and overlaps of the input above this are filled with silence or cut, so that sound stays with the picture. */
export const TIME_TOLERANCE_MS = 30;
/** Bit/s, by channels. */
const BIT_RATES = { Opus: [48_000, 96_000], AAC: [64_000, 128_000] } as const;

/** Of the encoder, 0 to 10: a quarter less CPU than the most, for a difference that is hard to hear at these bit rates. */
const COMPLEXITY = ["-compression_level", "5"] as const;

/** Length of each packet of Opus, by channels: 20 ms at a constant bit rate. */
export const OPUS_PACKET_BYTES = BIT_RATES.Opus.map((rate) => rate / 8 / 50);

/** How many channels come out: no more than two, for that is what everybody plays. */
export function outputChannels(input: Pick<TranscodeInput, "channels">): 1 | 2 {
	return input.channels >= 2 ? 2 : 1;
}

/** Arguments for ffmpeg to take Matroska from its standard input, and to give packets, each as soon as it can. */
export function ffmpegArguments(input: TranscodeInput, to: TargetCodec, channels: 1 | 2): string[] {
	const bitRate = BIT_RATES[to][channels - 1] ?? BIT_RATES[to][0];
	const encoder =
		to === "Opus"
			? ["-c:a", "libopus", "-application", "audio", "-frame_duration", "20", "-vbr", "off", ...COMPLEXITY]
			: ["-c:a", "aac", "-profile:a", "aac_low"];
	return [
		...["-nostdin", "-hide_banner", "-loglevel", "error"],
		...["-flags", "low_delay", "-probesize", "32", "-analyzeduration", "0", "-threads", "1"],
		...(input.decoder === null ? [] : ["-c:a", input.decoder]),
		...["-f", "matroska", "-i", "pipe:0"],
		...["-map", "0:a:0", "-ac", `${channels}`, "-ar", `${OUTPUT_CLOCK_RATE}`],
		...["-af", `aresample=async=1:min_hard_comp=${TIME_TOLERANCE_MS / 1000}`],
		...encoder,
		...["-b:a", `${bitRate}`, "-threads", "1", "-map_metadata", "-1", "-flush_packets", "1"],
		...["-f", to === "Opus" ? "data" : "adts", "pipe:1"],
	];
}
