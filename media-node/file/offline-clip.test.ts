import { readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { PathConfig } from "#shared/config/path-config.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { sample } from "../../test/support/media.ts";
import { run } from "../../test/support/program.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { Publication } from "../stream/publication.ts";
import type { Track } from "../stream/track.ts";
import type { Unit } from "../stream/unit.ts";
import type { FileUnit } from "./media-source.ts";
import { openOfflineClip, playOffline } from "./offline-clip.ts";

type Wanted = PathConfig["alwaysAvailableTracks"][number];

const FOLDER = path.join(import.meta.dirname, "offline");
const wanted = (codec: Wanted["codec"], more: Partial<Wanted> = {}): Wanted => ({
	codec,
	sampleRate: 0,
	channelCount: 0,
	muLaw: false,
	...more,
});

async function unitsOf(tracks: readonly Wanted[], seconds: number): Promise<FileUnit[]> {
	const media = await openOfflineClip(tracks);
	const units: FileUnit[] = [];
	for await (const unit of media.units(new AbortController().signal)) {
		if (unit.dts / (media.tracks[unit.trackIndex]?.clockRate ?? 1) >= seconds) break;
		units.push(unit);
	}
	return units;
}

describe("the clips of pictures", () => {
	it("are small", async () => {
		const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".mp4"));
		expect(files.sort()).toEqual(["av1.mp4", "h264.mp4", "h265.mp4", "vp9.mp4"]);
		for (const file of files) expect((await stat(path.join(FOLDER, file))).size).toBeLessThan(60_000);
	});

	it.each(["h264", "h265", "vp9", "av1"])(
		"of %s decode, with a key frame each second and none out of order",
		async (name) => {
			const file = path.join(FOLDER, `${name}.mp4`);
			const checks = ["-v", "error", "-xerror", "-err_detect", "explode"];
			const pixels = await run("ffmpeg", [...checks, "-i", file, "-f", "rawvideo", "-pix_fmt", "gray", "-"]);
			expect(pixels.length).toBe(640 * 360 * 20);
			// A dark picture with bright letters in its middle, and nothing in its corners.
			const line = pixels.subarray(640 * 180, 640 * 181);
			expect(Math.max(...line)).toBeGreaterThan(200);
			expect(Math.max(...pixels.subarray(0, 640 * 100))).toBeLessThan(40);
			const packets = await probePackets(file, "v:0");
			expect(packets.map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, i) => i % 5 === 0));
			expect(packets.every(({ pts, dts }) => pts === dts)).toBe(true);
		},
	);

	it.each([
		["H264", "h264"],
		["H265", "hevc"],
	] as const)("of %s decode when they begin again", async (codec, format) => {
		await using dir = await tempDir();
		const units = await unitsOf([wanted(codec)], 9);
		const file = path.join(dir.path, "clip");
		const startCode = Uint8Array.of(0, 0, 0, 1);
		await writeFile(file, Buffer.concat(units.flatMap(({ frames }) => frames.flatMap((nal) => [startCode, nal]))));
		const checks = ["-v", "error", "-xerror", "-err_detect", "explode"];
		const args = [
			...checks,
			"-f",
			format,
			"-i",
			file,
			"-fps_mode",
			"passthrough",
			"-f",
			"rawvideo",
			"-pix_fmt",
			"gray",
			"-",
		];
		expect((await run("ffmpeg", args)).length).toBe(640 * 360 * 45);
	});
});

describe("the built-in clip", () => {
	const ALL: readonly Wanted[] = [
		wanted("H264"),
		wanted("H265"),
		wanted("VP9"),
		wanted("AV1"),
		wanted("Opus"),
		wanted("MPEG4Audio", { sampleRate: 44_100, channelCount: 2 }),
		wanted("G711", { sampleRate: 8_000, channelCount: 1, muLaw: true }),
		wanted("G711", { sampleRate: 16_000, channelCount: 2 }),
		wanted("LPCM", { sampleRate: 48_000, channelCount: 2 }),
	];

	it("has the tracks that are asked for, each with a payload type of its own", async () => {
		const { tracks } = await openOfflineClip(ALL);
		expect(tracks.map(({ rtp }) => `${rtp.payloadType} ${rtp.encoding}`)).toEqual([
			"96 H264/90000",
			"97 H265/90000",
			"98 VP9/90000",
			"99 AV1/90000",
			"100 opus/48000/2",
			"101 mpeg4-generic/44100/2",
			"102 PCMU/8000",
			"103 PCMA/16000/2",
			"104 L16/48000/2",
		]);
		expect(tracks[0]?.codec).toMatchObject({ sps: expect.any(Uint8Array), pps: expect.any(Uint8Array) });
		expect(tracks[4]?.codec).toEqual({ name: "Opus", channels: 2 });
	});

	it("goes on without a seam on every track, in the order of time", async () => {
		const { tracks } = await openOfflineClip(ALL);
		const seconds = 60;
		const units = await unitsOf(ALL, seconds);
		for (const [index, { clockRate }] of tracks.entries()) {
			const own = units.filter(({ trackIndex }) => trackIndex === index);
			const last = own.at(-1);
			expect(own[0]).toMatchObject({ dts: 0, randomAccess: true });
			expect(own.slice(1).every(({ dts }, i) => dts === own[i]!.dts + own[i]!.duration)).toBe(true);
			expect(own.every(({ pts, dts, frames }) => pts === dts && frames.length > 0)).toBe(true);
			expect((last!.dts + last!.duration) / clockRate).toBeCloseTo(seconds, 0);
			if (index < 4) expect(own.filter(({ randomAccess }) => randomAccess)).toHaveLength(seconds);
		}
		const times = units.map(({ dts, trackIndex }) => dts / tracks[trackIndex]!.clockRate);
		expect(times).toEqual([...times].sort((a, b) => a - b));
	});

	it("ends when it is stopped", async () => {
		const media = await openOfflineClip([wanted("Opus")]);
		const stop = new AbortController();
		let count = 0;
		for await (const _ of media.units(stop.signal)) if (++count === 3) stop.abort();
		expect(count).toBe(3);
	});

	it("cannot have a sample rate that AAC does not have", async () => {
		const odd = [wanted("MPEG4Audio", { sampleRate: 50_000, channelCount: 2 })];
		await expect(openOfflineClip(odd)).rejects.toMatchObject({
			code: "config.invalid",
			message: expect.stringContaining("50000 Hz"),
		});
	});
});

type Written = Omit<Unit, "track"> & { readonly track: number; readonly atMs: number };

/** Plays until the clock was moved by `ms`, and then stops it. */
async function played(config: Partial<PathConfig>, ms: number) {
	const clock = new FakeClock();
	const stop = new AbortController();
	const units: Written[] = [];
	let tracks: readonly Omit<Track, "index">[] = [];
	let closed: unknown;
	const publication: Publication = {
		tracks: [],
		writePacket: () => undefined,
		writeSenderReport: () => undefined,
		flush: () => undefined,
		writeUnit: (track, unit) => void units.push({ ...unit, track, atMs: clock.monotonic() }),
		close: (reason) => {
			closed = reason;
		},
	};
	const options = { alwaysAvailableTracks: [], alwaysAvailableFile: "", ...config };
	let error: unknown = null;
	const done = playOffline({
		config: options,
		signal: stop.signal,
		clock,
		publish: async (offered) => {
			tracks = offered;
			return publication;
		},
	}).catch((reason: unknown) => {
		error = reason;
	});
	while (clock.monotonic() < ms && error === null) {
		const waits = await eventually("it waits or failed", () => clock.pending > 0 || error !== null, { everyMs: 1 });
		if (waits && clock.nextAt !== null) await clock.advance(clock.nextAt - clock.now());
		await settle();
	}
	stop.abort();
	await done;
	return { tracks, units, closed, error, clock };
}

describe("playOffline", () => {
	it("plays pictures and sound in real time, until it is stopped", async () => {
		const tracks = [wanted("H264"), wanted("Opus")];
		const { units, error, closed, clock } = await played({ alwaysAvailableTracks: tracks }, 6_000);
		expect(error).toMatchObject({ code: "aborted" });
		expect(closed).toBe(error);
		expect(clock.pending).toBe(0);
		for (const { atMs, dts, track } of units) expect(atMs).toBeCloseTo(dts / (track === 0 ? 90 : 48), 3);
		expect(units.filter(({ track }) => track === 0).length).toBeGreaterThanOrEqual(30);
		expect(units.filter(({ track }) => track === 1).length).toBeGreaterThanOrEqual(300);
	});

	it("plays a file of one's own in a loop", async () => {
		const audio = ["aac", "-ar", "48000"];
		const file = await sample({ seconds: 1, rate: "10", size: "160x120", audio });
		const { tracks, units, error } = await played({ alwaysAvailableFile: file }, 3_500);
		expect(error).toMatchObject({ code: "aborted" });
		expect(tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
		const pictures = units.filter(({ track }) => track === 0);
		expect(pictures.length).toBeGreaterThan(30);
		expect(pictures.slice(1).every(({ dts }, i) => dts > pictures[i]!.dts)).toBe(true);
	});

	it("names a file that is not there", async () => {
		const { error, units } = await played({ alwaysAvailableFile: "/nowhere/offline.mp4" }, 1_000);
		expect(error).toMatchObject({ code: "input.invalid", message: expect.stringContaining("/nowhere/offline.mp4") });
		expect(units).toEqual([]);
	});
});
