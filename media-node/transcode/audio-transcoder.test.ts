import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "#shared/clock.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import {
	aacSound,
	frequencyOf,
	g711Sound,
	heard,
	levelOf,
	ONSET_SECONDS,
	onsetOf,
	rawSound,
	type SoundFrames,
	TONE_HZ,
} from "../../test/support/sound.ts";
import { writeAudioSpecificConfig } from "../codecs/aac.ts";
import { frameTicksOf } from "../codecs/audio-duration.ts";
import type { Codec } from "../codecs/codec.ts";
import { AudioTranscoder, STALL_MS } from "./audio-transcoder.ts";
import { Ffmpeg } from "./ffmpeg.ts";
import { PACKET_SAMPLES, type TargetCodec } from "./ffmpeg-arguments.ts";
import { GRACE_MS } from "./ffmpeg-process.ts";
import { transcodeInputOf } from "./transcode-input.ts";

type Packet = { readonly time: number; readonly bytes: Uint8Array };

const AAC_48K: Codec = {
	name: "MPEG-4 Audio",
	config: writeAudioSpecificConfig({ sampleRate: 48_000, channels: 1 }),
};
const AAC_48K_STEREO: Codec = {
	name: "MPEG-4 Audio",
	config: writeAudioSpecificConfig({ sampleRate: 48_000, channels: 2 }),
};
const OPUS: Codec = { name: "Opus", channels: 2 };
/** What an encoder knows of the future, in samples: what it gives begins so much before its input. */
const DELAY = { Opus: 312, AAC: 1024 } as const;

let open: AsyncDisposable[] = [];
afterEach(async () => {
	await Promise.all(open.map((part) => part[Symbol.asyncDispose]()));
	open = [];
});

function transcoderOf(
	{ codec, clockRate }: SoundFrames,
	to: TargetCodec,
	program = "ffmpeg",
	clock: Clock = systemClock,
) {
	const log = recordingLogger();
	const packets: Packet[] = [];
	const input = transcodeInputOf(codec, clockRate);
	const frameTicks = frameTicksOf(codec, clockRate);
	if (input === null || frameTicks === null) throw new TypeError(`Cannot decode ${codec.name}`);
	const ffmpeg = new Ffmpeg({ program: () => program, clock, log });
	const transcoder = new AudioTranscoder({
		...{ input, clockRate, frameTicks, to, ffmpeg, clock, log },
		missingWarning: "no sound",
		onPacket: (time, bytes) => void packets.push({ time, bytes }),
	});
	open.push(transcoder);
	/** Pushes all frames, the first at `from`, and returns where the next one would be. */
	const pushAll = (frames: readonly Uint8Array[], from: number) => {
		let time = from;
		for (const frame of frames) {
			transcoder.push(time, frame);
			time += frameTicks(frame);
		}
		return time;
	};
	return { log, packets, transcoder, pushAll };
}

const isAlive = (pid: number) => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false; // ESRCH
	}
};

const CASES: readonly [string, TargetCodec, () => Promise<SoundFrames>][] = [
	["AAC of 44.1 kHz in stereo", "Opus", () => aacSound(2)],
	["AAC of 48 kHz in mono", "Opus", () => aacSound(2, { sampleRate: 48_000, channels: 1 })],
	["G.711 by the mu law", "AAC", () => g711Sound(2)],
	["G.711 by the A law", "Opus", () => g711Sound(2, "a")],
	[
		"G.722",
		"Opus",
		() =>
			rawSound(
				{ name: "G722", channels: 1 },
				{ seconds: 2, encoder: "g722", format: "g722", sampleRate: 16_000, clockRate: 8000, frameBytes: 160 },
			),
	],
	[
		"linear PCM of 16 bits in stereo",
		"AAC",
		() =>
			rawSound(
				{ name: "LPCM", bitDepth: 16, sampleRate: 48_000, channels: 2 },
				{ seconds: 2, encoder: "pcm_s16be", format: "s16be", sampleRate: 48_000, channels: 2, frameBytes: 1920 },
			),
	],
	[
		"linear PCM of 24 bits",
		"Opus",
		() =>
			rawSound(
				{ name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 1 },
				{ seconds: 2, encoder: "pcm_s24be", format: "s24be", sampleRate: 48_000, frameBytes: 1440 },
			),
	],
	[
		"linear PCM of 8 bits",
		"Opus",
		() =>
			rawSound(
				{ name: "LPCM", bitDepth: 8, sampleRate: 16_000, channels: 1 },
				{ seconds: 2, encoder: "pcm_u8", format: "u8", sampleRate: 16_000, frameBytes: 320 },
			),
	],
	[
		"G.726 of RFC 3551",
		"Opus",
		() =>
			rawSound(
				{ name: "G726", bitRate: 32, packing: "rfc3551" },
				{ seconds: 2, encoder: "g726le", format: "g726le", sampleRate: 8000, frameBytes: 80, options: ["-b:a", "32k"] },
			),
	],
	[
		"G.726 of AAL2",
		"AAC",
		() =>
			rawSound(
				{ name: "G726", bitRate: 24, packing: "aal2" },
				{ seconds: 2, encoder: "g726", format: "g726", sampleRate: 8000, frameBytes: 60, options: ["-b:a", "24k"] },
			),
	],
	[
		"MP3",
		"AAC",
		() =>
			rawSound(
				{ name: "MPEG-1/2 Audio" },
				{
					...{ seconds: 2, encoder: "libmp3lame", format: "mp3", sampleRate: 48_000, clockRate: 90_000 },
					...{ frameBytes: 384, options: ["-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0"] },
				},
			),
	],
	[
		"AC-3",
		"AAC",
		() =>
			rawSound(
				{ name: "AC3", sampleRate: 48_000, channels: 1 },
				{ seconds: 2, encoder: "ac3", format: "ac3", sampleRate: 48_000, frameBytes: 384, options: ["-b:a", "96k"] },
			),
	],
];

/** What an encoder of the test put before the sound, in seconds: its frames come without a word of it. */
const PRIMED: Readonly<Record<string, number>> = {
	"AAC of 44.1 kHz in stereo": 1024 / 44_100,
	"AAC of 48 kHz in mono": 1024 / 48_000,
	MP3: (576 + 529) / 48_000,
	"AC-3": 256 / 48_000,
	"G.722": 22 / 16_000,
};

describe("AudioTranscoder", () => {
	it.each(CASES)("makes %s into %s: the same tone, at the same times, without a gap", async (name, to, make) => {
		const sound = await make();
		const { packets, pushAll, transcoder, log } = transcoderOf(sound, to);
		const from = 7 * sound.clockRate;
		const ticks = pushAll(sound.frames, from) - from;
		const samples = (ticks * 48_000) / sound.clockRate;
		await eventually("all but the last packets", () => packets.length >= samples / PACKET_SAMPLES[to] - 4);
		expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);

		const first = packets[0]?.time ?? 0;
		expect(Math.abs(first - (7 * 48_000 - DELAY[to]))).toBeLessThanOrEqual(48);
		expect(packets.map(({ time }) => time)).toEqual(packets.map((_, i) => first + i * PACKET_SAMPLES[to]));

		const stereo = outputIsStereo(sound.codec);
		const codec = to === "Opus" ? OPUS : stereo ? AAC_48K_STEREO : AAC_48K;
		const pcm = await heard(
			codec,
			packets.map(({ bytes }) => bytes),
		);
		const onset = (first - 7 * 48_000 + onsetOf(pcm)) / 48_000;
		expect(onset).toBeGreaterThan(ONSET_SECONDS + (PRIMED[name] ?? 0) - 0.008);
		expect(onset).toBeLessThan(ONSET_SECONDS + (PRIMED[name] ?? 0) + 0.008);
		const tone = pcm.subarray(onsetOf(pcm) + 4800, onsetOf(pcm) + 4800 + 48_000);
		expect(frequencyOf(tone)).toBeGreaterThan(TONE_HZ - 5);
		expect(frequencyOf(tone)).toBeLessThan(TONE_HZ + 5);
		expect(levelOf(tone)).toBeGreaterThan(0.25);
		expect(transcoder.counters).toMatchObject({ packetsIn: sound.frames.length, dropped: 0, restarts: 0 });
	});

	it("fills a gap with silence, so that what follows has its own times again", async () => {
		const { codec, clockRate, frames } = await g711Sound(2);
		const { packets, pushAll, transcoder } = transcoderOf({ codec, clockRate, frames }, "Opus");
		const quiet = frames.slice(0, 20);
		const loud = frames.slice(40, 90);
		pushAll(loud, pushAll(quiet, 0) + 0.5 * clockRate);
		await eventually("all but the last packets", () => packets.length >= 0.4 * 50 + 0.5 * 50 + 50 - 4);
		expect(packets.map(({ time }) => time)).toEqual(packets.map((_, i) => (packets[0]?.time ?? 0) + i * 960));
		const pcm = await heard(
			OPUS,
			packets.map(({ bytes }) => bytes),
		);
		const onset = ((packets[0]?.time ?? 0) + onsetOf(pcm)) / 48_000;
		expect(Math.abs(onset - (0.4 + 0.5))).toBeLessThan(0.01);
		expect(transcoder.counters).toMatchObject({ dropped: 0, restarts: 0 });
	});

	it("begins anew after a leap of the times, in both directions, and does not follow clocks that only leap", async () => {
		const { codec, clockRate, frames } = await g711Sound(1);
		const { packets, pushAll, transcoder } = transcoderOf({ codec, clockRate, frames }, "Opus");
		const seconds = (count: number) => count * clockRate;
		pushAll(frames, seconds(100));
		await eventually("packets", () => packets.length > 40);
		pushAll(frames, seconds(5000));
		const isAt = (second: number) => packets.some(({ time }) => Math.abs(time - second * 48_000) < 1000);
		await eventually("packets of the new time", () => isAt(5000));
		expect(transcoder.counters).toMatchObject({ restarts: 1, dropped: 0 });
		pushAll(frames.slice(0, 10), seconds(3));
		pushAll(frames.slice(0, 10), seconds(300));
		expect(transcoder.counters.restarts).toBeLessThanOrEqual(2);
		expect(transcoder.counters.dropped).toBeGreaterThanOrEqual(10);
		await eventually("that a leap is followed again", () => {
			const { dropped } = transcoder.counters;
			pushAll(frames, seconds(3));
			return transcoder.counters.dropped === dropped;
		});
		await eventually("packets of the old time", () => isAt(3.5));
	});

	it("goes on when the program was killed, with one line in the log", async () => {
		const { codec, clockRate, frames } = await g711Sound(1);
		const { packets, pushAll, transcoder, log } = transcoderOf({ codec, clockRate, frames }, "Opus");
		let time = pushAll(frames, 0);
		await eventually("packets", () => packets.length > 0);
		for (const round of [1, 2]) {
			process.kill(transcoder.pid ?? 0, "SIGKILL");
			const before = packets.length;
			await eventually("packets again", () => {
				time = pushAll(frames.slice(0, 5), time);
				return transcoder.counters.restarts === round && packets.length > before + 10;
			});
		}
		const errors = log.lines.filter(({ level }) => level === "error");
		expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("SIGKILL")]);
		expect((packets.at(-1)?.time ?? 0) / 48_000).toBeGreaterThan(1);
	});

	it("says once that the program is missing, and takes sound without a word then", async () => {
		const { codec, clockRate, frames } = await g711Sound(1);
		const { packets, pushAll, transcoder, log } = transcoderOf({ codec, clockRate, frames }, "Opus", "/nowhere/ffmpeg");
		const time = pushAll(frames, 0);
		await eventually("the warning", () => log.lines.some(({ level }) => level === "warn"));
		pushAll(frames, time);
		expect(log.lines.filter(({ level }) => level !== "debug")).toEqual([
			{ level: "warn", fields: { program: "/nowhere/ffmpeg" }, message: "no sound" },
		]);
		expect([packets.length, transcoder.counters.dropped]).toEqual([0, frames.length]);
	});

	it("leaves no process when it is closed, however often, and gives nothing after", async () => {
		const { codec, clockRate, frames } = await g711Sound(1);
		const { packets, pushAll, transcoder } = transcoderOf({ codec, clockRate, frames }, "AAC");
		const time = pushAll(frames, 0);
		await eventually("packets", () => packets.length > 0);
		const pid = transcoder.pid ?? 0;
		expect([isAlive(pid), transcoder.cpuSeconds >= 0]).toEqual([true, true]);
		await Promise.all([transcoder.close(), transcoder.close()]);
		expect([isAlive(pid), transcoder.pid]).toEqual([false, undefined]);
		const count = packets.length;
		pushAll(frames, time);
		expect([transcoder.pid, packets.length]).toEqual([undefined, count]);
	});

	it("keeps only so much for a program that does not read, and ends one that does not listen", async () => {
		const codec: Codec = { name: "LPCM", bitDepth: 16, sampleRate: 48_000, channels: 2 };
		const program = await stuckProgram();
		const { pushAll, transcoder } = transcoderOf({ codec, clockRate: 48_000, frames: [] }, "Opus", program);
		const frames = Array.from({ length: 1000 }, () => new Uint8Array(1920));
		pushAll(frames, 0);
		expect(transcoder.counters.dropped).toBeGreaterThan(500);
		expect(transcoder.counters.dropped).toBeLessThan(900);
		const pid = transcoder.pid ?? 0;
		expect(isAlive(pid)).toBe(true);
		await transcoder.close();
		expect(isAlive(pid)).toBe(false);
	});

	it("ends a program that gives nothing, and one that gives something else, says so, and waits before the next", async () => {
		const { codec, clockRate, frames } = await g711Sound(1);
		const clock = new FakeClock();
		const stuck = transcoderOf({ codec, clockRate, frames }, "Opus", await stuckProgram(), clock);
		const next = stuck.pushAll(frames.slice(0, 5), 0);
		const pid = stuck.transcoder.pid ?? 0;
		await clock.advance(STALL_MS + 1);
		stuck.pushAll(frames.slice(5, 6), next);
		expect(stuck.log.lines.map(({ message }) => message)).toContainEqual(
			expect.stringContaining("gave no sound for 5 s"),
		);
		stuck.pushAll(frames.slice(6, 7), next + 160);
		expect([stuck.transcoder.pid, stuck.transcoder.counters.dropped]).toEqual([undefined, 2]);
		await clock.advance(GRACE_MS);
		await stuck.transcoder.close();
		expect([isAlive(pid), clock.pending]).toEqual([false, 0]);

		const other = transcoderOf({ codec, clockRate, frames }, "AAC", await program("head -c 1000 /dev/zero; sleep 60"));
		other.pushAll(frames, 0);
		await eventually("the error", () => other.log.lines.find(({ level }) => level === "error"));
		expect(other.packets).toEqual([]);
		expect(other.log.lines.find(({ level }) => level === "error")?.message).toContain("no ADTS header");
	});

	it.each([Number.NaN, 0.5, Number.POSITIVE_INFINITY])("leaves out a frame whose time is %d", async (time) => {
		const { codec, clockRate, frames } = await g711Sound(1);
		const { transcoder } = transcoderOf({ codec, clockRate, frames }, "Opus");
		transcoder.push(time, frames[0] ?? new Uint8Array(160));
		transcoder.push(0, new Uint8Array(0));
		expect([transcoder.pid, transcoder.counters.dropped]).toEqual([undefined, 2]);
	});
});

/** A program that neither reads nor ends when it is asked to. */
function stuckProgram(): Promise<string> {
	return program("trap '' TERM\nwhile :; do sleep 1; done");
}

async function program(script: string): Promise<string> {
	const folder = await mkdtemp(path.join(os.tmpdir(), "sluice-stuck-"));
	open.push({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) });
	const file = path.join(folder, "stuck");
	await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	return file;
}

function outputIsStereo(codec: Codec): boolean {
	return "channels" in codec ? codec.channels >= 2 : codec.name === "MPEG-4 Audio";
}
