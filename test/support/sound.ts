/** Sound for tests: frames of any codec, made by ffmpeg, and what packets sound like. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseAdtsHeader, writeAudioSpecificConfig } from "../../media-node/codecs/aac.ts";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { matroskaFrame, matroskaHeader } from "../../media-node/transcode/matroska-writer.ts";
import { transcodeInputOf } from "../../media-node/transcode/transcode-input.ts";
import { Program, run } from "./program.ts";

export type SoundFrames = { readonly codec: Codec; readonly clockRate: number; readonly frames: readonly Uint8Array[] };

/** Half a second of silence, then a tone of 1 kHz. */
export const ONSET_SECONDS = 0.5;
export const TONE_HZ = 1000;
const SOURCE = `aevalsrc=gte(t\\,${ONSET_SECONDS})*0.5*sin(2*PI*${TONE_HZ}*t)`;

/** ADTS frames of ffmpeg without their headers. */
export async function aacSound(seconds: number, { sampleRate = 44_100, channels = 2 } = {}): Promise<SoundFrames> {
	const lavfi = ["-f", "lavfi", "-i", `${SOURCE}:s=${sampleRate}`, "-t", `${seconds}`, "-ac", `${channels}`];
	const adts = new Uint8Array(await run("ffmpeg", ["-v", "error", ...lavfi, "-c:a", "aac", "-f", "adts", "-"]));
	const frames: Uint8Array[] = [];
	for (let at = 0; at < adts.length; ) {
		const { headerBytes, frameBytes } = parseAdtsHeader(adts, at);
		frames.push(adts.subarray(at + headerBytes, at + frameBytes));
		at += frameBytes;
	}
	const config = writeAudioSpecificConfig({ sampleRate, channels });
	return { codec: { name: "MPEG-4 Audio", config }, clockRate: sampleRate, frames };
}

/** Raw output of one of ffmpeg's encoders, cut into frames of `frameBytes`. */
export async function rawSound(
	codec: Codec,
	{
		seconds,
		encoder,
		format,
		sampleRate,
		channels = 1,
		clockRate = sampleRate,
		frameBytes,
		options = [],
	}: {
		readonly seconds: number;
		readonly encoder: string;
		readonly format: string;
		readonly sampleRate: number;
		readonly channels?: number;
		readonly clockRate?: number;
		readonly frameBytes: number;
		readonly options?: readonly string[];
	},
): Promise<SoundFrames> {
	const lavfi = ["-f", "lavfi", "-i", `${SOURCE}:s=${sampleRate}`, "-t", `${seconds}`, "-ac", `${channels}`];
	const args = ["-v", "error", ...lavfi, "-c:a", encoder, ...options, "-f", format, "-"];
	const bytes = new Uint8Array(await run("ffmpeg", args));
	const frames: Uint8Array[] = [];
	for (let at = 0; at + frameBytes <= bytes.length; at += frameBytes) frames.push(bytes.subarray(at, at + frameBytes));
	return { codec, clockRate, frames };
}

/** G.711 in frames of 20 ms, as a camera sends it. */
export function g711Sound(seconds: number, law: "a" | "mu" = "mu"): Promise<SoundFrames> {
	const codec: Codec = { name: "G711", law, sampleRate: 8000, channels: 1 };
	const name = law === "a" ? "alaw" : "mulaw";
	return rawSound(codec, { seconds, encoder: `pcm_${name}`, format: name, sampleRate: 8000, frameBytes: 160 });
}

/** What packets of Opus or AAC sound like, decoded one after the other by ffmpeg: mono at 48 kHz, -1 to 1. */
export async function heard(codec: Codec, packets: readonly Uint8Array[]): Promise<Float32Array> {
	const input = transcodeInputOf(codec, 48_000);
	if (input === null) throw new TypeError(`Cannot decode ${codec.name}`);
	const folder = await mkdtemp(path.join(os.tmpdir(), "sluice-sound-"));
	try {
		const file = path.join(folder, "sound.mka");
		const frames = packets.map((packet, i) => matroskaFrame(i * 20_000, packet));
		await writeFile(file, Buffer.concat([matroskaHeader(input), ...frames]));
		await using program = new Program("ffmpeg", [
			"-v",
			"error",
			"-i",
			file,
			"-ac",
			"1",
			"-ar",
			"48000",
			"-f",
			"f32le",
			"-",
		]);
		const pcm = await program.succeed();
		return new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length));
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** Index of the first sample that is clearly not silence. */
export function onsetOf(samples: Float32Array, level = 0.1): number {
	return samples.findIndex((sample) => Math.abs(sample) > level);
}

/** Frequency of a tone by its zero crossings, Hz. */
export function frequencyOf(samples: Float32Array, sampleRate = 48_000): number {
	let crossings = 0;
	for (let i = 1; i < samples.length; i++) if ((samples[i - 1] ?? 0) < 0 && (samples[i] ?? 0) >= 0) crossings++;
	return (crossings * sampleRate) / samples.length;
}

/** Root mean square. */
export function levelOf(samples: Float32Array): number {
	return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
