import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type ProbedPacket, probePackets } from "../../../test/support/ffmpeg.ts";
import { sample } from "../../../test/support/media.ts";
import { run } from "../../../test/support/program.ts";
import { tempDir } from "../../../test/support/temp-dir.ts";
import { isMp4, Mp4File, type Mp4Track, type Mp4Unit } from "./mp4-file.ts";

type ReadFile = { readonly tracks: readonly Mp4Track[]; readonly units: Mp4Unit[] };

/** Everything of a file, with what was read of it at most at once. */
async function readAll(bytes: Uint8Array): Promise<ReadFile & { readonly largestRead: number }> {
	let largestRead = 0;
	const file = await Mp4File.open({
		size: bytes.length,
		read: async (offset, length) => {
			largestRead = Math.max(largestRead, length);
			return bytes.slice(offset, offset + length);
		},
	});
	const units: Mp4Unit[] = [];
	for await (const unit of file.units(file.tracks.map((_, index) => index))) units.push(unit);
	return { tracks: file.tracks, units, largestRead };
}

const X264 = ["libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p"];
const AAC = ["aac", "-ar", "48000", "-ac", "2"];

type Film = {
	readonly video?: readonly string[] | null;
	readonly audio?: readonly string[] | null;
	readonly extension?: string;
};

function film({ video = null, audio = null, extension = "mp4" }: Film): Promise<string> {
	return sample({ seconds: 3, rate: "25", size: "160x120", video, audio, extension });
}

/** The same streams in another kind of MP4. */
async function remuxed(from: string, ...options: string[]): Promise<Uint8Array> {
	await using dir = await tempDir();
	const to = path.join(dir.path, "film.mp4");
	await run("ffmpeg", ["-v", "error", "-i", from, "-c", "copy", ...options, to]);
	return await readFile(to);
}

type Timing = { readonly pts: number; readonly dts: number; readonly key: boolean };

/** What ffprobe says of the packets of a track whose timescale is `timescale`, on a clock of `clockRate`. */
function timings(packets: readonly ProbedPacket[], timescale: number, clockRate: number): Timing[] {
	const scaled = (time: number) => Math.round((time * clockRate) / timescale);
	return packets.map(({ pts, dts, key }) => ({ pts: scaled(pts), dts: scaled(dts), key }));
}

function ofTrack(units: readonly Mp4Unit[], track: number): Mp4Unit[] {
	return units.filter(({ trackIndex }) => trackIndex === track);
}

const timingOf = ({ pts, dts, randomAccess }: Mp4Unit): Timing => ({ pts, dts, key: randomAccess });
const sizeOf = ({ frames }: Mp4Unit) => frames.reduce((sum, frame) => sum + frame.length, 0);
/** In the file, with a length of four bytes before each NAL unit. */
const nalSizeOf = (unit: Mp4Unit) => sizeOf(unit) + 4 * unit.frames.length;

describe("Mp4File", () => {
	it.each([
		["H.264", "H264", X264],
		[
			"H.265",
			"H265",
			["libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=none:bframes=2"],
		],
	] as const)(
		"gives the NAL units of %s with the times, sizes and key flags that ffprobe sees",
		async (_, name, video) => {
			const file = await film({ video });
			const { tracks, units } = await readAll(await readFile(file));
			expect(tracks).toMatchObject([{ kind: "video", clockRate: 90_000, codec: { name } }]);
			expect(Object.values(tracks[0]!.codec).every((value) => value !== null)).toBe(true);
			const packets = await probePackets(file, "v:0");
			expect(packets.length).toBe(75);
			expect(units.map(timingOf)).toEqual(timings(packets, 12_800, 90_000));
			expect(units.map(nalSizeOf)).toEqual(packets.map(({ size }) => size));
			expect(units.every(({ duration }) => duration === 3_600)).toBe(true);
		},
	);

	it.each([
		["AAC", { name: "MPEG-4 Audio" }, 48_000, 48_000, AAC, "mp4"],
		["Opus", { name: "Opus", channels: 2 }, 48_000, 48_000, ["libopus", "-ac", "2"], "mp4"],
		["MP3", { name: "MPEG-1/2 Audio" }, 90_000, 44_100, ["libmp3lame", "-ar", "44100"], "mp4"],
		["AC-3", { name: "AC3", sampleRate: 48_000, channels: 6 }, 48_000, 48_000, ["ac3", "-ac", "6"], "mp4"],
	] as const)("gives the frames of %s", async (_, codec, clockRate, timescale, audio, extension) => {
		const file = await film({ audio, extension });
		const { tracks, units } = await readAll(await readFile(file));
		expect(tracks).toMatchObject([{ kind: "audio", clockRate, codec }]);
		const packets = await probePackets(file, "a:0");
		expect(units.map(timingOf)).toEqual(timings(packets, timescale, clockRate));
		expect(units.map(sizeOf)).toEqual(packets.map(({ size }) => size));
	});

	it.each([
		["VP9", "VP9", ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25"], "mp4"],
		["MPEG-4 video", "MPEG-4 Video", ["mpeg4", "-g", "12"], "mp4"],
		["MPEG-2 video", "MPEG-1/2 Video", ["mpeg2video", "-g", "12"], "mp4"],
		["JPEG", "M-JPEG", ["mjpeg"], "mov"],
	] as const)("gives the pictures of %s whole", async (_, name, video, extension) => {
		const file = await film({ video, extension });
		const { tracks, units } = await readAll(await readFile(file));
		expect(tracks).toMatchObject([{ kind: "video", clockRate: 90_000, codec: { name } }]);
		const packets = await probePackets(file, "v:0");
		expect(units.map(timingOf)).toEqual(timings(packets, 12_800, 90_000));
		expect(units.map(sizeOf)).toEqual(packets.map(({ size }) => size));
	});

	it.each([
		["16 bits of big-endian PCM", 16, ["pcm_s16be"], "s16be"],
		["16 bits of little-endian PCM", 16, ["pcm_s16le"], "s16be"],
		["24 bits of PCM", 24, ["pcm_s24le"], "s24be"],
	] as const)("gives %s in the network's order, in pieces, and loses no sample", async (_, bitDepth, audio, raw) => {
		const file = await film({ audio: [...audio, "-ac", "2"], extension: "mov" });
		const { tracks, units } = await readAll(await readFile(file));
		expect(tracks).toMatchObject([
			{ clockRate: 48_000, codec: { name: "LPCM", bitDepth, channels: 2, sampleRate: 48_000 } },
		]);
		const expected = await run("ffmpeg", ["-v", "error", "-i", file, "-c:a", `pcm_${raw}`, "-f", raw, "-"]);
		expect(Buffer.compare(Buffer.concat(units.flatMap(({ frames }) => frames)), expected)).toBe(0);
		expect(units.length).toBeLessThan(400);
		const flags = ["-f", "mov", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "500000"];
		const fragmented = await readAll(await remuxed(file, ...flags));
		expect(Buffer.compare(Buffer.concat(fragmented.units.flatMap(({ frames }) => frames)), expected)).toBe(0);
		expect(fragmented.units.length).toBeLessThan(400);
		for (const [i, unit] of units.entries()) {
			expect(unit.duration * 2 * (bitDepth / 8)).toBe(sizeOf(unit));
			if (i > 0) expect(unit.dts).toBe(units[i - 1]!.dts + units[i - 1]!.duration);
		}
	});

	it("gives the OBUs of AV1 without their size fields and without delimiters", async () => {
		const file = await film({ video: ["libsvtav1", "-preset", "12", "-g", "25"] });
		const { tracks, units } = await readAll(await readFile(file));
		expect(tracks).toMatchObject([{ kind: "video", clockRate: 90_000, codec: { name: "AV1" } }]);
		const packets = await probePackets(file, "v:0");
		expect(units.map(timingOf)).toEqual(timings(packets, 12_800, 90_000));
		for (const obu of units.flatMap(({ frames }) => frames)) {
			expect(obu[0]! & 0x82).toBe(0);
			expect((obu[0]! >> 3) & 15).not.toBe(2);
		}
		expect((units[0]!.frames[0]![0]! >> 3) & 15).toBe(1);
	});

	it("gives the same of a fragmented file, of one with the movie in front, and of one with it behind", async () => {
		const file = await film({ video: X264, audio: AAC });
		const plain = await readAll(await readFile(file));
		expect(plain.tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
		const front = await readAll(await remuxed(file, "-movflags", "+faststart"));
		expect(front.units).toEqual(plain.units);
		for (const flags of [
			"+frag_keyframe+empty_moov",
			"+frag_keyframe+empty_moov+default_base_moof",
			"+dash+delay_moov",
		]) {
			const fragmented = await readAll(await remuxed(file, "-movflags", flags, "-use_editlist", "1"));
			for (const track of [0, 1]) {
				const [expected, given] = [ofTrack(plain.units, track), ofTrack(fragmented.units, track)];
				const shift = given[0]!.dts - expected[0]!.dts;
				expect(given.map(({ frames }) => frames)).toEqual(expected.map(({ frames }) => frames));
				expect(given.map(({ dts, pts }) => [dts - shift, pts - shift])).toEqual(
					expected.map(({ dts, pts }) => [dts, pts]),
				);
			}
		}
	});

	it("gives the tracks in the order of their decoding times", async () => {
		const { tracks, units } = await readAll(await readFile(await film({ video: X264, audio: AAC })));
		const seconds = units.map(({ trackIndex, dts }) => dts / tracks[trackIndex]!.clockRate);
		expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
	});

	it("reads no more at once than a window, whatever the size of the file", async () => {
		const bytes = await readFile(await sample({ seconds: 10 }));
		expect(bytes.length).toBeGreaterThan(500_000);
		expect((await readAll(bytes)).largestRead).toBeLessThanOrEqual(128 * 1024);
	});

	it("says what is wrong with every file that is cut off", async () => {
		const bytes = await remuxed(await film({ video: X264, audio: AAC }), "-movflags", "+faststart");
		const moovEnd = Buffer.from(bytes).indexOf("mdat");
		expect(isMp4(bytes)).toBe(true);
		for (let length = 0; length < bytes.length; length += length < moovEnd ? 23 : 4_001) {
			await expect(readAll(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
				code: expect.stringMatching(/^bytes\.(truncated|malformed)$/),
			});
		}
	});
});
