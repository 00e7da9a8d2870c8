import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, SluiceError } from "#shared/problem.ts";
import { encodeVideoFile } from "../../test/support/encoded-video.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { type PlayedUnit, play } from "../../test/support/file-player.ts";
import { sample } from "../../test/support/media.ts";
import { mutated } from "../../test/support/mutate.ts";
import { run } from "../../test/support/program.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { playFile } from "./play-file.ts";

const X264 = ["-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p", "-x264-params", "log-level=none"];
const X265 = ["-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=3:b-pyramid=1"];

/** The byte stream of {@link encodeVideoFile}. */
async function annexB(codec: "h264" | "hevc", mp4: string, to: string): Promise<string> {
	await run("ffmpeg", ["-v", "error", "-i", mp4, "-c", "copy", "-bsf:v", `${codec}_mp4toannexb`, "-f", codec, to]);
	return to;
}

function relative(units: readonly { pts: number; dts: number }[]): { pts: number; dts: number }[] {
	const [first] = units;
	return units.map(({ pts, dts }) => ({ pts: pts - first!.dts, dts: dts - first!.dts }));
}

function ofTrack(units: readonly PlayedUnit[], track: number): PlayedUnit[] {
	return units.filter((unit) => unit.track === track);
}

describe("playFile of a byte stream", () => {
	it.each([
		["H.264 that reorders", "h264", [...X264, "-bf", "3", "-b_strategy", "0", "-refs", "4"]],
		["H.264 that does not", "h264", [...X264, "-bf", "0"]],
		["H.264 with open groups of pictures", "h264", [...X264, "-bf", "2", "-flags", "-cgop"]],
		[
			"H.264 with scaling lists",
			"h264",
			[...X264, "-bf", "3", "-profile:v", "high", "-x264-params", "log-level=none:cqm=jvt"],
		],
		["interlaced H.264", "h264", [...X264, "-bf", "2", "-x264-params", "log-level=none:tff=1"]],
		["H.265 that reorders", "hevc", X265],
		["H.265 that does not", "hevc", ["-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=0"]],
	] as const)("sends %s at the times that the encoder gave", async (_, codec, options) => {
		await using dir = await tempDir();
		const mp4 = await encodeVideoFile(codec, options);
		const file = await annexB(codec, mp4, path.join(dir.path, "film.mp4"));
		const { tracks, units, closed, error } = await play(file);
		expect(error).toBeNull();
		expect(closed).toBeNull();
		const packets = await probePackets(mp4, "v:0");
		expect(tracks).toMatchObject([
			{ kind: "video", clockRate: 90_000, codec: { name: codec === "h264" ? "H264" : "H265" } },
		]);
		expect(relative(units)).toEqual(relative(packets));
		expect(units.map(({ randomAccess }) => randomAccess)).toEqual(packets.map(({ key }) => key));
	});
});

describe("playFile of a transport stream", () => {
	it("sends pictures and sound in real time, each track with the times of the file", async () => {
		const file = await sample({
			seconds: 3,
			rate: "25",
			size: "160x120",
			video: ["libx264", ...X264, "-bf", "2"],
			audio: ["aac", "-ar", "48000"],
			extension: "ts",
		});
		const { tracks, units, error, clock } = await play(file);
		expect(error).toBeNull();
		expect(tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
		const video = await probePackets(file, "v:0");
		expect(relative(ofTrack(units, 0))).toEqual(relative(video));
		for (const unit of units) {
			const dueMs = (unit.dts * 1000) / tracks[unit.track]!.clockRate;
			expect(Math.abs(unit.atMs - dueMs)).toBeLessThan(2);
			expect(unit.flushedMs).toBeLessThan(unit.atMs + 45);
			expect(unit.wallclockMs).toBeCloseTo(
				clock.now() - clock.monotonic() + (unit.pts * 1000) / tracks[unit.track]!.clockRate,
				0,
			);
		}
		expect(clock.pending).toBe(0);
	});

	it("goes on without a seam where the file begins again", async () => {
		const file = await sample({
			seconds: 3,
			rate: "25",
			size: "160x120",
			video: ["libx264", ...X264, "-bf", "2"],
			audio: ["aac", "-ar", "48000"],
			extension: "ts",
		});
		const once = await play(file);
		const { tracks, units, error } = await play(file, { loop: true, units: once.units.length * 3 });
		expect(error).toMatchObject({ code: "aborted" });
		expect(tracks.map(({ clockRate }) => clockRate)).toEqual([90_000, 48_000]);
		// Sound of this encoder begins before the pictures and ends after them, by up to a frame each: they wait for it.
		const pictureGaps = gaps(ofTrack(units, 0), () => 3_600);
		expect(Math.min(...pictureGaps)).toBe(0);
		expect(Math.max(...pictureGaps)).toBeLessThanOrEqual((90_000 * 2 * 1_024) / 48_000);
		const soundGaps = gaps(ofTrack(units, 1), ({ frames }) => frames.length * 1_024);
		expect(Math.min(...soundGaps)).toBeGreaterThanOrEqual(0);
		expect(Math.max(...soundGaps)).toBeLessThanOrEqual(2);
		for (const track of [0, 1]) {
			const pts = ofTrack(units, track).map((unit) => unit.pts);
			expect(pts.length).toBeGreaterThan(ofTrack(once.units, track).length * 2.9);
			expect(new Set(pts).size).toBe(pts.length);
		}
	});
});

/** Ticks between the end of each unit and the beginning of the next. */
function gaps(units: readonly PlayedUnit[], lasts: (unit: PlayedUnit) => number): number[] {
	return units.slice(1).map(({ dts }, i) => dts - units[i]!.dts - lasts(units[i]!));
}

describe("playFile of an MP4 file", () => {
	const film = () =>
		sample({ seconds: 3, rate: "25", size: "160x120", video: ["libx264", ...X264, "-bf", "2"], audio: ["aac"] });

	it("sends pictures and sound in real time, with parameter sets before each key frame", async () => {
		const file = await film();
		const { tracks, units, error, closed, clock } = await play(file);
		expect([error, closed, clock.pending]).toEqual([null, null, 0]);
		expect(tracks).toMatchObject([
			{ codec: { name: "H264" }, rtp: { payloadType: 96, encoding: "H264/90000" } },
			{ codec: { name: "MPEG-4 Audio" }, rtp: { payloadType: 97, encoding: "mpeg4-generic/48000/1" } },
		]);
		const packets = await probePackets(file, "v:0");
		const scaled = packets.map(({ pts, dts }) => ({ pts: (pts * 90_000) / 12_800, dts: (dts * 90_000) / 12_800 }));
		const video = ofTrack(units, 0);
		expect(relative(video)).toEqual(relative(scaled));
		for (const { randomAccess, frames } of video) {
			expect(frames.slice(0, 2).map((nal) => nal[0]! & 0x1f)).toEqual(randomAccess ? [7, 8] : [1]);
		}
		for (const unit of units) {
			const dueMs = (unit.dts * 1000) / tracks[unit.track]!.clockRate;
			expect(Math.abs(unit.atMs - dueMs)).toBeLessThan(2);
		}
	});

	it("goes on without a seam where the file begins again", async () => {
		const file = await film();
		const once = await play(file);
		const { units } = await play(file, { loop: true, units: once.units.length * 3 });
		const pictureGaps = gaps(ofTrack(units, 0), () => 3_600);
		expect(Math.min(...pictureGaps)).toBe(0);
		expect(Math.max(...pictureGaps)).toBeLessThanOrEqual((90_000 * 2 * 1_024) / 48_000);
		const soundGaps = gaps(ofTrack(units, 1), () => 1_024);
		expect(Math.max(...soundGaps.map(Math.abs))).toBeLessThanOrEqual(1_024);
	});

	it("sends what is there of a file that is cut off, and says so then", async () => {
		await using dir = await tempDir();
		const whole = path.join(dir.path, "whole.mp4");
		await run("ffmpeg", ["-v", "error", "-i", await film(), "-c", "copy", "-movflags", "+faststart", whole]);
		const bytes = await readFile(whole);
		const file = path.join(dir.path, "cut.mp4");
		await writeFile(file, bytes.subarray(0, bytes.length * 0.7));
		const { units, error, closed } = await play(file, { loop: true });
		expect(units.length).toBeGreaterThan(50);
		expect(error).toMatchObject({ code: "bytes.truncated", message: expect.stringContaining(file) });
		expect(closed).toBe(error);
	});
});

describe("playFile of what cannot be played", () => {
	it.each([
		["is not there", null, "input.invalid"],
		["is empty", new Uint8Array(0), "input.invalid"],
		["is a text", new TextEncoder().encode("once upon a time ".repeat(100)), "input.invalid"],
		["is only zeros", new Uint8Array(10_000), "input.invalid"],
		[
			"is a transport stream of nothing",
			new Uint8Array(188 * 20).map((_, i) => (i % 188 === 0 ? 0x47 : 0xff)),
			"bytes.malformed",
		],
	])("names the file when it %s", async (_, bytes, code) => {
		await using dir = await tempDir();
		const file = path.join(dir.path, "film");
		if (bytes !== null) await writeFile(file, bytes);
		const { error, closed } = await play(file);
		expect(error).toMatchObject({ code, message: expect.stringContaining(file) });
		expect(closed).toBeUndefined();
	});

	it("names a folder", async () => {
		await using dir = await tempDir();
		expect((await play(dir.path)).error).toMatchObject({
			code: "input.invalid",
			message: expect.stringContaining(dir.path),
		});
	});
});

describe("playFile of damaged files", () => {
	it("ends with an error of the taxonomy, or goes on in real time, and never hangs", async () => {
		await using dir = await tempDir();
		const films = await Promise.all(
			["mp4", "ts", "h264"].map((extension) =>
				sample({
					seconds: 1,
					rate: "5",
					size: "64x48",
					video: ["libx264", ...X264, "-bf", "2"],
					audio: null,
					extension,
				}),
			),
		);
		const seeds = await Promise.all(films.map(async (film) => Uint8Array.from(await readFile(film))));
		const file = path.join(dir.path, "film");
		await fc.assert(
			fc.asyncProperty(mutated(seeds, 12), async (bytes) => {
				await writeFile(file, bytes);
				const { error, units, clock } = await play(file, { loop: true, units: 30 });
				expect(error).toBeInstanceOf(SluiceError);
				expect(error).toMatchObject({ message: expect.stringMatching(/film|stopped/) });
				expect(clock.pending).toBe(0);
				const dts = units.map((unit) => unit.dts);
				expect(dts).toEqual([...new Set(dts)].sort((a, b) => a - b));
			}),
			{ seed: Number(process.env["FUZZ_SEED"] ?? 20_261_121), numRuns: 200 },
		);
	}, 60_000);
});

describe("playFile", () => {
	it("closes the publication when it is stopped, and leaves no timer", async () => {
		const file = await sample({ seconds: 3, rate: "25", size: "160x120", video: ["libx264", ...X264], audio: null });
		const { units, closed, error, clock } = await play(file, { loop: true, units: 10 });
		expect(units.length).toBe(10);
		expect(error).toMatchObject({ code: "aborted" });
		expect(closed).toBe(error);
		expect(clock.pending).toBe(0);
	});

	it("passes on why nobody took what it would publish", async () => {
		const file = await sample({ seconds: 3, rate: "25", size: "160x120", video: ["libx264", ...X264], audio: null });
		const refused = new InputError("path.conflict", "Somebody else publishes there");
		const publish = () => Promise.reject(refused);
		const options = { file, signal: new AbortController().signal, clock: new FakeClock(), publish };
		await expect(playFile(options)).rejects.toBe(refused);
	});
});
