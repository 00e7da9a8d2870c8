import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { type Film, filmUnits, later } from "../../test/support/film-units.ts";
import { type SampleOptions, sample } from "../../test/support/media.ts";
import { Packaging } from "../../test/support/packaging.ts";
import { Program, run } from "../../test/support/program.ts";
import { tempDir } from "../../test/support/temp-dir.ts";

const ENDED = new GoneError("stream.ended", "The test is over");
/** Times of 90 kHz in the source, so that they can be compared as they are. */
const EXACT = ["-video_track_timescale", "90000", "-pix_fmt", "yuv420p"];
const x264 = (...options: string[]) => ["libx264", "-preset", "veryfast", ...EXACT, ...options];
const x265 = (...options: string[]) => ["libx265", "-preset", "ultrafast", "-tag:v", "hvc1", ...EXACT, ...options];
const vpx = (...options: string[]) => ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", ...EXACT, ...options];
const aom = (...options: string[]) => ["libaom-av1", "-usage", "realtime", "-cpu-used", "8", ...EXACT, ...options];
const aac = (rate: number, channels: number) => ["aac", "-ar", String(rate), "-ac", String(channels)];

type Case = {
	readonly name: string;
	readonly film: SampleOptions;
	/** By rendition. */
	readonly codecs: Readonly<Record<string, RegExp>>;
};

const CASES: readonly Case[] = [
	{
		name: "H.264 without B-frames, AAC 48 kHz stereo",
		film: { video: x264("-tune", "zerolatency", "-g", "30"), audio: aac(48_000, 2), size: "320x180", seconds: 7 },
		codecs: { v0: /^avc1\.64[0-9A-F]{4}$/, a0: /^mp4a\.40\.2$/ },
	},
	{
		name: "H.264 Baseline, AAC 44.1 kHz mono",
		film: { video: x264("-profile:v", "baseline", "-g", "25"), audio: aac(44_100, 1), rate: "25", seconds: 7 },
		codecs: { v0: /^avc1\.42C0[0-9A-F]{2}$/, a0: /^mp4a\.40\.2$/ },
	},
	{
		name: "H.264 with a pyramid of B-frames at 29.97 frames a second, Opus",
		film: {
			video: x264("-bf", "3", "-b-pyramid", "normal", "-g", "48"),
			audio: ["libopus", "-ac", "2"],
			rate: "30000/1001",
			size: "320x180",
			seconds: 7,
		},
		codecs: { v0: /^avc1\.64/, a0: /^opus$/ },
	},
	{
		name: "H.264 of 1080 lines, which are cropped, with key frames at scene cuts",
		film: {
			video: x264("-g", "60", "-force_key_frames", "0.4,1.9,2.3,4.7"),
			size: "1920x1080",
			rate: "10",
			seconds: 6,
		},
		codecs: { v0: /^avc1\.64/, a0: /^mp4a\.40\.2$/ },
	},
	{
		name: "H.264 with open groups of pictures",
		film: { video: x264("-x264-params", "open-gop=1:bframes=2:keyint=30:min-keyint=30:scenecut=0"), size: "320x180" },
		codecs: { v0: /^avc1\.64/, a0: /^mp4a/ },
	},
	{
		name: "H.265 with B-frames",
		film: {
			video: x265("-x265-params", "keyint=30:min-keyint=30:bframes=3:log-level=error"),
			size: "320x180",
			seconds: 6,
		},
		codecs: { v0: /^hvc1\.1\.6\.L\d+\.90$/, a0: /^mp4a/ },
	},
	{
		name: "H.265 with 10 bits and closed groups, video only",
		film: {
			video: [...x265("-x265-params", "keyint=25:min-keyint=25:open-gop=0:log-level=error"), "-pix_fmt", "yuv420p10le"],
			audio: null,
			size: "320x180",
			rate: "25",
			seconds: 5,
		},
		codecs: { v0: /^hvc1\.2\.4\.L\d+\.90$/ },
	},
	{
		name: "VP9, as browsers send it",
		film: { video: vpx("-g", "30", "-b:v", "300k"), audio: ["libopus", "-ac", "2"], size: "320x180", seconds: 5 },
		codecs: { v0: /^vp09\.00\.20\.08$/, a0: /^opus$/ },
	},
	{
		name: "VP9 with hidden frames in superframes",
		film: {
			video: ["libvpx-vp9", "-cpu-used", "5", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-g", "40", ...EXACT],
			audio: null,
			size: "320x180",
			seconds: 5,
		},
		codecs: { v0: /^vp09\.00\.20\.08$/ },
	},
	{
		name: "VP9 of 10 bits, 4:4:4 and full range, by BT.709",
		film: {
			video: [...vpx("-g", "30", "-colorspace", "bt709", "-color_range", "pc"), "-pix_fmt", "yuv444p10le"],
			audio: null,
			size: "320x180",
			seconds: 5,
		},
		codecs: { v0: /^vp09\.03\.20\.10\.03\.02\.02\.01\.01$/ },
	},
	{
		name: "AV1, as browsers send it",
		film: { video: aom("-g", "30", "-b:v", "300k"), audio: ["libopus", "-ac", "2"], size: "320x180", seconds: 5 },
		codecs: { v0: /^av01\.0\.00M\.08$/, a0: /^opus$/ },
	},
	{
		name: "AV1 of 10 bits with hidden frames, by BT.2020",
		film: {
			video: [
				...["libsvtav1", "-preset", "12", "-g", "40", ...EXACT, "-pix_fmt", "yuv420p10le", "-color_range", "tv"],
				...["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"],
			],
			audio: null,
			size: "320x180",
			seconds: 5,
		},
		codecs: { v0: /^av01\.0\.\d\dM\.10\.0\.11\d\.09\.16\.09\.0$/ },
	},
	{ name: "AAC only", film: { video: null, audio: aac(44_100, 2), seconds: 7 }, codecs: { a0: /^mp4a\.40\.2$/ } },
	{ name: "Opus only", film: { video: null, audio: ["libopus", "-ac", "1"], seconds: 7 }, codecs: { a0: /^opus$/ } },
];

function packaged(film: Film, segmentDurationMs = 2000): Packaging {
	const packaging = new Packaging({ segmentDurationMs });
	packaging.packager.begin(film.tracks);
	for (const unit of film.units) packaging.packager.push(unit);
	packaging.packager.end(ENDED);
	return packaging;
}

/** The MD5 of each decoded frame. Fails when the decoder finds fault with anything. */
async function frameHashes(file: string, ...options: string[]): Promise<string[]> {
	const program = new Program("ffmpeg", ["-v", "error", ...options, "-i", file, "-f", "framemd5", "-vsync", "0", "-"]);
	const lines = (await program.succeed()).toString().split("\n");
	expect(program.errors).toBe("");
	return lines.filter((line) => /^\d/.test(line)).map((line) => line.split(",").at(-1)!.trim());
}

describe.each(CASES)("$name", ({ film: options, codecs }) => {
	it("comes out of segments as it went in", async () => {
		await using folder = await tempDir();
		const source = await sample(options);
		const film = await filmUnits(source);
		const packaging = packaged(film);
		expect(packaging.skipped).toEqual([]);
		expect(packaging.segments.length).toBeGreaterThan(1);

		const shifts = new Set<number>();
		for (const [id, codec] of Object.entries(codecs)) {
			const selector = `${id[0]}:0`;
			const { rendition } = packaging.rendition(id)[0]!.part;
			expect(rendition.codecs).toMatch(codec);
			const files = packaging.files(id);
			expect(files).toHaveLength(1);
			const file = path.join(folder.path, `${id}.mp4`);
			await writeFile(file, files[0]!);

			const [stream] = JSON.parse(
				(await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", file])).toString(),
			).streams as Record<string, unknown>[];
			if (rendition.kind === "video") {
				const [width, height] = (options.size ?? "640x360").split("x").map(Number);
				expect(stream).toMatchObject({ width, height });
				expect(rendition).toMatchObject({ width, height });
				const [frames = 0, per = 1] = (options.rate ?? "30").split("/").map(Number);
				expect(rendition.frameRate).toBeCloseTo(frames / per, 2);
			} else {
				expect(stream).toMatchObject({ sample_rate: String(rendition.sampleRate), channels: rendition.channels });
			}

			const rate = rendition.kind === "video" ? 90_000 : film.tracks.find(({ kind }) => kind === "audio")!.clockRate;
			// Sound from before the first picture is in no segment.
			const beginMs = ((film.units.find(({ track }) => track.kind === "video")?.pts ?? -Infinity) * 1000) / 90_000;
			const units = film.units.filter(
				({ track, pts }) => track.kind === rendition.kind && (track.kind === "video" || (pts * 1000) / rate >= beginMs),
			);
			const packets = await probePackets(file, selector);
			expect(packets).toHaveLength(units.length);
			expect(packets.map(({ key }) => key)).toEqual(units.map(({ randomAccess }) => randomAccess));
			for (const [i, { pts, dts }] of packets.entries()) {
				shifts.add((pts - units[i]!.pts) / rate);
				shifts.add((dts - units[i]!.dts) / rate);
			}
			const sourcePackets = (await probePackets(source, selector)).slice(-units.length);
			expect(packets.map(({ size }) => size).slice(1)).toEqual(sourcePackets.map(({ size }) => size).slice(1));

			if (rendition.kind === "video") {
				expect(await frameHashes(file)).toEqual(await frameHashes(source, "-an"));
			} else {
				expect(packets.map(({ hash }) => hash)).toEqual(sourcePackets.map(({ hash }) => hash));
				expect(await frameHashes(file)).toHaveLength(units.length);
			}
		}
		// One and the same number of whole seconds for all times of all tracks.
		expect([...shifts]).toHaveLength(1);
		expect([...shifts][0]! % 1).toBe(0);
	});
});

it.each([
	{ name: "H.264", video: x264("-g", "30", "-bf", "2") },
	{ name: "VP9", video: vpx("-g", "30") },
	{ name: "AV1", video: aom("-g", "30") },
])("begins a new init segment and a discontinuity where $name changes its size", async ({ video }) => {
	await using folder = await tempDir();
	const sources = [
		await sample({ video, size: "320x180", seconds: 5 }),
		await sample({ video, size: "480x270", seconds: 5 }),
	];
	const first = await filmUnits(sources[0]!);
	const second = later(await filmUnits(sources[1]!), 5000);
	const packaging = packaged({ tracks: first.tracks, units: [...first.units, ...second.units] });
	const parts = packaging.rendition("v0");
	expect(parts.map(({ segment }) => segment.discontinuity)).toEqual([false, false, false, true, false, false]);
	expect(parts.map(({ part }) => part.rendition.width)).toEqual([320, 320, 320, 480, 480, 480]);
	const files = packaging.files("v0");
	expect(files).toHaveLength(2);
	const begins: number[] = [];
	for (const [i, bytes] of files.entries()) {
		const file = path.join(folder.path, `${i}.mp4`);
		await writeFile(file, bytes);
		expect(await frameHashes(file)).toEqual(await frameHashes(sources[i]!, "-an"));
		begins.push((await probePackets(file, "v:0"))[0]!.pts);
	}
	expect(begins[1]! - begins[0]!).toBe(5 * 90_000);
	// The sound did not change, but the break is one for all.
	expect(packaging.files("a0")).toHaveLength(1);
});

it.each([
	{ box: "vpcC", of: "4:2:0", video: vpx("-g", "60"), size: "640x360" },
	{ box: "vpcC", of: "4:2:2 with 10 bits", video: [...vpx("-g", "60"), "-pix_fmt", "yuv422p10le"], size: "1280x720" },
	{ box: "vpcC", of: "full range", video: vpx("-colorspace", "bt470bg", "-color_range", "pc"), size: "1920x1080" },
	{ box: "av1C", of: "4:2:0", video: aom("-g", "60"), size: "640x360" },
	{ box: "av1C", of: "RGB", video: [...aom("-color_trc", "iec61966-2-1"), "-pix_fmt", "gbrp"], size: "320x180" },
	{ box: "av1C", of: "4:2:2 with 12 bits", video: [...aom("-g", "60"), "-pix_fmt", "yuv422p12le"], size: "320x180" },
	{ box: "av1C", of: "grey", video: [...aom("-g", "60"), "-pix_fmt", "gray"], size: "320x180" },
])("writes $box of $size in $of as ffmpeg does", async ({ box, video, size }) => {
	const source = await sample({ video, audio: null, size, rate: "60", seconds: 1 });
	const packaging = packaged(await filmUnits(source), 1000);
	const hex = (bytes: Uint8Array) => {
		const file = Buffer.copyBytesFrom(bytes);
		const at = file.indexOf(box);
		// The level, of which ffmpeg asks the size alone, is for tests of its own.
		if (box === "vpcC") file[at + 9] = 0;
		return file.toString("hex", at, at - 4 + file.readUInt32BE(at - 4));
	};
	expect(hex(packaging.rendition("v0")[0]!.part.init)).toBe(hex(await readFile(source)));
});
