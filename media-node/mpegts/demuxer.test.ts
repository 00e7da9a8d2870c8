import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type ProbedPacket, probePackets } from "../../test/support/ffmpeg.ts";
import { sample } from "../../test/support/media.ts";
import { run } from "../../test/support/program.ts";
import { joined, TsWriter } from "../../test/support/ts-writer.ts";
import { splitAnnexB } from "../codecs/annexb.ts";
import { MAX_PROBE_BYTES, type RtpFormatOf, TsDemuxer, type TsTrack, type TsUnit } from "./demuxer.ts";
import { MAX_PES_BYTES } from "./pes.ts";

const rtpFormat: RtpFormatOf = ({ name }, clockRate, index) => ({
	payloadType: 96 + index,
	encoding: `${name}/${clockRate}`,
	fmtp: "",
});

/** Everything of a stream that comes in chunks of `chunkBytes`. */
function demux(
	bytes: Uint8Array,
	chunkBytes = 1316,
): { demuxer: TsDemuxer; tracks: readonly TsTrack[]; units: TsUnit[] } {
	const demuxer = new TsDemuxer({ rtpFormat });
	const units: TsUnit[] = [];
	for (let at = 0; at < bytes.length; at += chunkBytes)
		units.push(...demuxer.push(bytes.subarray(at, at + chunkBytes)));
	units.push(...demuxer.end());
	return { demuxer, tracks: demuxer.tracks ?? [], units };
}

const X264 = ["libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p"];
const AAC = ["aac", "-ar", "48000", "-ac", "2"];

type SampleOf = { readonly video?: readonly string[] | null; readonly audio?: readonly string[] | null };

function tsFile({ video = null, audio = null }: SampleOf): Promise<string> {
	return sample({ seconds: 3, rate: "25", size: "160x120", video, audio, extension: "ts" });
}

/** Times of each frame on a clock of `clockRate`, as ffprobe's parser finds them. */
function times(packets: readonly ProbedPacket[], clockRate: number): number[] {
	return packets.map(({ pts }) => Math.round((pts * clockRate) / 90_000));
}

/** The bytes of each audio frame of a file, with `format` of ffmpeg, that ffprobe says the sizes of. */
const sizes = (units: readonly TsUnit[]) => units.flatMap(({ frames }) => frames.map(({ length }) => length));

describe("TsDemuxer", () => {
	it.each([
		["H.264", "H264", "h264", X264],
		[
			"H.265",
			"H265",
			"hevc",
			["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=2"],
		],
	] as const)(
		"gives the pictures of %s with the times and key flags that ffprobe sees",
		async (_, name, format, video) => {
			const file = await tsFile({ video });
			const { demuxer, tracks, units } = demux(await readFile(file));
			expect(tracks).toMatchObject([{ kind: "video", clockRate: 90_000, codec: { name } }]);
			const packets = await probePackets(file, "v:0");
			expect(packets.length).toBe(75);
			expect(units.map(({ pts, dts, randomAccess }) => ({ pts, dts, randomAccess }))).toEqual(
				packets.map(({ pts, dts, key }) => ({ pts, dts, randomAccess: key })),
			);
			const raw = splitAnnexB(await run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-f", format, "-"]));
			const delimiter = (nal: Uint8Array) => (name === "H264" ? (nal[0]! & 0x1f) === 9 : nal[0]! >> 1 === 35);
			expect(units.flatMap(({ frames }) => frames)).toEqual(
				raw.filter((nal) => !delimiter(nal)).map((nal) => Uint8Array.from(nal)),
			);
			expect(demuxer.counters).toEqual({ continuityErrors: 0, syncLosses: 0, dropped: 0 });
		},
	);

	it.each([
		["MPEG-2 video", "MPEG-1/2 Video", ["mpeg2video", "-bf", "2", "-g", "12"]],
		["MPEG-1 video", "MPEG-1/2 Video", ["mpeg1video", "-g", "12"]],
		["MPEG-4 video", "MPEG-4 Video", ["mpeg4", "-g", "12", "-bf", "1"]],
	] as const)("gives the pictures of %s whole", async (_, name, video) => {
		const file = await tsFile({ video });
		const { tracks, units } = demux(await readFile(file));
		expect(tracks).toMatchObject([{ kind: "video", codec: { name } }]);
		const packets = await probePackets(file, "v:0");
		expect(
			units.map(({ pts, dts, randomAccess, frames }) => ({ pts, dts, randomAccess, size: frames[0]!.length })),
		).toEqual(packets.map(({ pts, dts, key, size }) => ({ pts, dts, randomAccess: key, size })));
		if (tracks[0]?.codec.name === "MPEG-4 Video") {
			expect([...tracks[0].codec.config!.subarray(0, 4)]).toEqual([0, 0, 1, 0xb0]);
		}
	});

	it.each([
		["AAC in ADTS", { name: "MPEG-4 Audio", config: Uint8Array.of(0x11, 0x90) }, 48_000, AAC, 7],
		["MP2", { name: "MPEG-1/2 Audio" }, 90_000, ["mp2", "-ar", "48000"], 0],
		["MP3", { name: "MPEG-1/2 Audio" }, 90_000, ["libmp3lame", "-ar", "44100"], 0],
		["Opus", { name: "Opus", channels: 1 }, 48_000, ["libopus", "-ac", "1"], 0],
		["AC-3", { name: "AC3", sampleRate: 48_000, channels: 2 }, 48_000, ["ac3", "-ac", "2"], 0],
	] as const)("gives the frames of %s, each once, at its time", async (_, codec, clockRate, audio, header) => {
		const file = await tsFile({ audio });
		const { tracks, units } = demux(await readFile(file));
		expect(tracks).toMatchObject([{ kind: "audio", clockRate, codec }]);
		const packets = await probePackets(file, "a:0");
		expect(sizes(units)).toEqual(packets.map(({ size }) => size - header));
		const expected = times(packets, clockRate);
		let frame = 0;
		for (const unit of units) {
			expect(Math.abs(unit.pts - expected[frame]!)).toBeLessThanOrEqual(1);
			frame += unit.frames.length;
		}
	});

	it("gives the raw frames of AAC in LATM", async () => {
		const file = await sample({ seconds: 3, video: null, audio: AAC });
		const mux = (...flags: string[]) =>
			run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-f", "mpegts", ...flags, "-"]);
		const latm = await mux("-mpegts_flags", "+latm");
		const { tracks, units } = demux(latm);
		expect(tracks).toMatchObject([{ clockRate: 48_000, codec: { name: "MPEG-4 Audio" } }]);
		const reference = demux(await mux());
		expect(units.flatMap(({ frames }) => frames)).toEqual(reference.units.flatMap(({ frames }) => frames));
	});

	it("gives the same of two tracks, however the bytes are cut", async () => {
		const bytes = await readFile(await tsFile({ video: X264, audio: AAC }));
		const whole = demux(bytes, bytes.length);
		expect(whole.tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
		for (const size of [1, 187, 189, 4096]) expect(demux(bytes, size).units).toEqual(whole.units);
	});
});

const KLVA = [5, 4, 0x4b, 0x4c, 0x56, 0x41];
const KLV_ITEM = Uint8Array.from([0x06, 0x0e, 0x2b, 0x34, ...new Array(12).fill(1), 2, 7, 8]);

describe("TsDemuxer, of streams as no encoder here makes them", () => {
	it("takes the first of several programs, and leaves out what it does not carry, such as SCTE-35", () => {
		const writer = new TsWriter();
		const bytes = joined([
			writer.tables(
				new Map([
					[
						0x100,
						[
							{ pid: 0x101, streamType: 0x86 },
							{ pid: 0x102, streamType: 0x06, descriptors: KLVA },
						],
					],
					[0x200, [{ pid: 0x201, streamType: 0x02 }]],
				]),
			),
			writer.pes(0x201, 100, Uint8Array.of(0, 0, 1, 0xb3)),
			writer.pes(0x101, 100, Uint8Array.of(1)),
			writer.pes(0x102, 9_000, KLV_ITEM),
		]);
		const { tracks, units } = demux(bytes);
		expect(tracks).toMatchObject([{ kind: "application", codec: { name: "KLV" }, clockRate: 90_000 }]);
		expect(units).toEqual([{ trackIndex: 0, pts: 9_000, dts: 9_000, randomAccess: true, frames: [KLV_ITEM] }]);
	});

	it("takes KLV out of its metadata cells, and times what has no time by the rest of the program", () => {
		const writer = new TsWriter();
		const cell = (...data: number[]) => [0, 0, 0xdf, 0, data.length, ...data];
		const bytes = joined([
			writer.tables(
				new Map([
					[
						0x100,
						[
							{ pid: 0x101, streamType: 0x15, descriptors: KLVA },
							{ pid: 0x102, streamType: 0x06, descriptors: KLVA },
						],
					],
				]),
			),
			writer.pes(0x101, 9_000, Uint8Array.from([...cell(1, 2), ...cell(3)]), 0xfc),
			writer.pes(0x102, null, KLV_ITEM),
			writer.pes(0x101, 12_000, Uint8Array.from([0, 0, 0xdf, 0, 9, 1]), 0xfc),
		]);
		const { demuxer, units } = demux(bytes);
		expect(units.map(({ trackIndex, pts, frames }) => [trackIndex, pts, frames])).toEqual([
			[0, 9_000, [Uint8Array.of(1, 2, 3)]],
			[1, 9_000, [KLV_ITEM]],
		]);
		expect(demuxer.counters.dropped).toBe(1);
	});

	it("goes on counting where the 33 bits of a time stamp wrap", async () => {
		const file = await tsFile({ video: X264, audio: AAC });
		const wrapSeconds = 2 ** 33 / 90_000 - 2.5;
		const mux = (offset: number) =>
			run("ffmpeg", [
				"-v",
				"error",
				"-i",
				file,
				"-c",
				"copy",
				"-f",
				"mpegts",
				"-output_ts_offset",
				String(offset),
				"-",
			]);
		const reference = demux(await mux(0)).units;
		const wrapped = demux(await mux(wrapSeconds)).units;
		expect(wrapped.length).toBe(reference.length);
		for (const track of [0, 1]) {
			const times = (units: readonly TsUnit[]) => {
				const own = units.filter(({ trackIndex }) => trackIndex === track);
				return own.map(({ pts, dts }) => [pts - own[0]!.dts, dts - own[0]!.dts]);
			};
			// The sound's own clock is rounded elsewhere.
			const [expected, given] = [times(reference), times(wrapped)];
			for (const [i, [pts, dts]] of given.entries()) {
				expect(Math.abs(pts! - expected[i]![0]!)).toBeLessThanOrEqual(1);
				expect(Math.abs(dts! - expected[i]![1]!)).toBeLessThanOrEqual(1);
			}
		}
	});

	it("drops the access unit of which a packet is lost, and no other", async () => {
		const bytes = await readFile(await tsFile({ video: X264 }));
		const whole = demux(bytes).units;
		const packets = Array.from({ length: bytes.length / 188 }, (_, i) => bytes.subarray(i * 188, i * 188 + 188));
		// In the midst of a picture: a packet of its PID that neither begins a PES packet nor is followed by one.
		const isVideo = (packet: Uint8Array) => (packet[1]! & 0x1f) === 1 && packet[2] === 0;
		const begins = (packet: Uint8Array) => (packet[1]! & 0x40) !== 0;
		const lost = packets.findIndex(
			(packet, i) => i > 100 && isVideo(packet) && !begins(packet) && !begins(packets[i + 1]!),
		);
		const { demuxer, units } = demux(joined(packets.filter((_, i) => i !== lost)));
		expect(demuxer.counters).toEqual({ continuityErrors: 1, syncLosses: 0, dropped: 1 });
		expect(units.length).toBe(whole.length - 1);
		const missing = whole.filter(({ dts }) => !units.some((unit) => unit.dts === dts));
		expect(missing.length).toBe(1);
		expect(units).toEqual(whole.filter((unit) => unit !== missing[0]));
	});

	it("takes a packet that is sent twice once", async () => {
		const bytes = await readFile(await tsFile({ video: X264 }));
		const twice = Array.from({ length: bytes.length / 188 }, (_, i) => bytes.subarray(i * 188, i * 188 + 188));
		const { demuxer, units } = demux(joined(twice.flatMap((packet, i) => (i % 7 === 0 ? [packet, packet] : [packet]))));
		expect(units).toEqual(demux(bytes).units);
		expect(demuxer.counters.continuityErrors).toBe(0);
	});

	it("finds its way back where bytes were put in or lost", async () => {
		const bytes = await readFile(await tsFile({ video: X264 }));
		const whole = demux(bytes).units;
		const at = 188 * 150;
		const garbage = new Uint8Array(1_000).fill(0x47);
		for (const broken of [
			joined([bytes.subarray(0, at), garbage, bytes.subarray(at)]),
			joined([bytes.subarray(0, at), bytes.subarray(at + 77)]),
		]) {
			const { demuxer, units } = demux(broken);
			expect(demuxer.counters.syncLosses).toBeGreaterThan(0);
			expect(units.length).toBeGreaterThanOrEqual(whole.length - 3);
			expect(units.length).toBeLessThan(whole.length + 1);
			expect(units.at(-1)).toEqual(whole.at(-1));
		}
	});

	it("leaves out a track that says nothing of itself, once enough was read", () => {
		const writer = new TsWriter();
		const tables = writer.tables(
			new Map([
				[
					0x100,
					[
						{ pid: 0x101, streamType: 0x0f },
						{ pid: 0x102, streamType: 0x06, descriptors: KLVA },
					],
				],
			]),
		);
		const demuxer = new TsDemuxer({ rtpFormat });
		expect(demuxer.push(joined([tables, writer.pes(0x102, 9_000, KLV_ITEM)]))).toEqual([]);
		expect(demuxer.tracks).toBeNull();
		const stuffing = new Uint8Array(188 * 1_000);
		for (let i = 0; i < stuffing.length; i += 188) stuffing.set([0x47, 0x1f, 0xff, 0x10], i);
		const units: TsUnit[] = [];
		for (let read = 0; read < MAX_PROBE_BYTES; read += stuffing.length) units.push(...demuxer.push(stuffing));
		expect(demuxer.tracks).toMatchObject([{ codec: { name: "KLV" } }]);
		expect(units).toMatchObject([{ trackIndex: 0, pts: 9_000 }]);
	});

	it("gives up a PES packet that has no end, and goes on with the next one", () => {
		const writer = new TsWriter();
		const tables = writer.tables(new Map([[0x100, [{ pid: 0x101, streamType: 0x02 }]]]));
		const endless = writer.pes(0x101, 0, new Uint8Array(MAX_PES_BYTES).fill(9), 0xe0);
		const good = writer.pes(0x101, 9_000, Uint8Array.of(0, 0, 1, 0xb3, 1), 0xe0);
		const { demuxer, units } = demux(joined([tables, endless, good]), 100_000);
		expect(units).toMatchObject([{ pts: 9_000, randomAccess: true }]);
		expect(demuxer.counters.dropped).toBe(1);
	});

	it("gives a beginning of the units of every beginning of a stream, and never an error", async () => {
		const bytes = (await readFile(await tsFile({ video: X264, audio: AAC }))).subarray(0, 188 * 60);
		const whole = demux(bytes).units;
		for (let length = 0; length < bytes.length; length += 61) {
			const { units } = demux(bytes.subarray(0, length));
			expect(units.length).toBeLessThanOrEqual(whole.length + 1);
		}
	});
});
