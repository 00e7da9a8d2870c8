import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { readFragment } from "../../test/support/fragment-reader.ts";
import { Packaging, type PackagingOptions } from "../../test/support/packaging.ts";
import {
	audioTrack,
	H264,
	idOf,
	interleaved,
	OTHER_H264,
	picture,
	plainAudio,
	plainVideo,
	START_MS,
	sound,
	videoTrack,
} from "../../test/support/synthetic-units.ts";
import type { Track } from "../stream/track.ts";
import type { Unit } from "../stream/unit.ts";
import { MAX_HELD_BYTES, MAX_LAG_MS } from "./packager.ts";

const ENDED = new GoneError("stream.ended", "The test is over");
const VIDEO = videoTrack(0);
const AUDIO = audioTrack(1);

function packaged(tracks: readonly Track[], units: readonly Unit[], options?: PackagingOptions): Packaging {
	const packaging = new Packaging(options);
	packaging.packager.begin(tracks);
	for (const unit of units) packaging.packager.push(unit);
	packaging.packager.end(ENDED);
	return packaging;
}

function idsOf(packaging: Packaging, id: string): number[][] {
	return packaging
		.rendition(id)
		.map(({ part }) => readFragment(part.bytes).samples.map(({ data }) => idOf(part.rendition.kind, data)));
}

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from }, (_, i) => from + i);
}

describe("where segments are cut", () => {
	it("cuts at the first key frame once the wanted duration has passed, video and audio at the same moment", () => {
		const packaging = packaged([VIDEO, AUDIO], interleaved(plainVideo(VIDEO, 7, { gop: 45 }), plainAudio(AUDIO, 7)));
		expect(packaging.segments.map(({ parts }) => parts.map((part) => part.rendition.id))).toEqual([
			["v0", "a0"],
			["v0", "a0"],
			["v0", "a0"],
		]);
		expect(packaging.rendition("v0").map(({ part }) => part.duration)).toEqual([3, 3, 1]);
		expect(packaging.segments.map(({ startMs }) => startMs - START_MS)).toEqual([0, 3000, 6000]);
		for (const { segment, part } of packaging.rendition("a0")) {
			const { decodeTime } = readFragment(part.bytes);
			const late = decodeTime / 48 - (segment.startMs - START_MS);
			expect(late).toBeGreaterThanOrEqual(0);
			expect(late).toBeLessThan(22);
		}
	});

	it("does not let jitter of time stamps double a segment", () => {
		const units = range(0, 240).map((i) =>
			picture(VIDEO, i, i * 3000 - (i % 60 === 0 && i > 0 ? 90 : 0), { key: i % 60 === 0 }),
		);
		const packaging = packaged([VIDEO], units);
		expect(packaging.rendition("v0").map(({ part }) => part.duration)).toEqual([1.999, 2, 2, 2.001]);
	});

	it("cuts a stream of sound by duration, at the nearest frame", () => {
		const alone = audioTrack(0);
		const packaging = packaged([alone], plainAudio(alone, 6));
		expect(idsOf(packaging, "a0").map((ids) => ids.length)).toEqual([94, 94, 94]);
	});

	it("asks for a key frame once a segment has lasted long enough, and not before", () => {
		const units = range(0, 63).map((i) => picture(VIDEO, i, i * 3000, { key: i === 0 || i === 62 }));
		const packaging = packaged([VIDEO], units.slice(0, 60));
		expect(packaging.keyFramesNeeded).toEqual([]);
		expect(packaged([VIDEO], units).keyFramesNeeded).toEqual([VIDEO.index, VIDEO.index]);
	});

	it("cuts without a key frame when none comes for too long", () => {
		const units = range(0, 40 * 30).map((i) => picture(VIDEO, i, i * 3000, { key: i === 0 }));
		const packaging = packaged([VIDEO], units);
		expect(packaging.rendition("v0").map(({ part }) => part.duration)).toEqual([32, 8]);
		expect(readFragment(packaging.segments[1]!.parts[0]!.bytes).samples[0]?.sync).toBe(false);
	});

	it("begins with the first key frame, and drops sound from before it", () => {
		const units = interleaved(plainVideo(VIDEO, 3, { fromMs: 500 }), plainAudio(AUDIO, 4));
		const headless = [picture(VIDEO, 99, 0), ...units];
		const packaging = packaged([VIDEO, AUDIO], headless);
		expect(idsOf(packaging, "v0").flat()).toEqual(range(0, 90));
		// Frame 24 begins at 512 ms.
		expect(idsOf(packaging, "a0").flat()[0]).toBe(24);
	});

	it("keeps sound that is ahead of the pictures for the segment that it belongs to", () => {
		const ahead = plainAudio(AUDIO, 6);
		const video = plainVideo(VIDEO, 6);
		const order = [...ahead, ...video].toSorted(
			(a, b) =>
				a.dts / a.track.clockRate -
				b.dts / b.track.clockRate -
				(a.track === b.track ? 0 : a.track === AUDIO ? 2.5 : -2.5),
		);
		const packaging = packaged([VIDEO, AUDIO], order);
		expect(idsOf(packaging, "a0").map((ids) => ids[0])).toEqual([0, 94, 188]);
		expect(idsOf(packaging, "a0").flat()).toEqual(range(0, 282));
	});

	it("splits a unit of several frames where the cut is", () => {
		const audio = range(0, 40).map((i) => sound(AUDIO, i * 8, i * 8 * 1024, { frames: 8 }));
		const packaging = packaged([VIDEO, AUDIO], interleaved(plainVideo(VIDEO, 6), audio));
		expect(idsOf(packaging, "a0").map((ids) => ids[0])).toEqual([0, 94, 188]);
		expect(idsOf(packaging, "a0").flat()).toEqual(range(0, 320));
	});
});

describe("a track that stalls", () => {
	it("does not hold the others when it is sound, and is not waited for again until it speaks", () => {
		const packaging = new Packaging();
		packaging.packager.begin([VIDEO, AUDIO]);
		for (const unit of interleaved(plainVideo(VIDEO, 3), plainAudio(AUDIO, 3))) packaging.packager.push(unit);
		const lone = plainVideo(VIDEO, 8, { fromMs: 3000 });
		const leftAt = new Map<number, number>();
		for (const unit of lone) {
			packaging.packager.push(unit);
			if (!leftAt.has(packaging.segments.length)) leftAt.set(packaging.segments.length, unit.pts / 90);
		}
		// The segment that ended at 4 s waits, with the one behind it; later ones leave where they end.
		expect(leftAt.get(3)).toBe(4000 + MAX_LAG_MS);
		expect(leftAt.get(4)).toBe(8000);
		expect(leftAt.get(5)).toBe(10_000);
		packaging.packager.end(ENDED);
		expect(packaging.segments.map(({ parts }) => parts.length)).toEqual([2, 2, 1, 1, 1, 1]);
	});

	it("puts what comes late into later segments, with its own time", () => {
		const video = plainVideo(VIDEO, 12);
		const audio = plainAudio(AUDIO, 12);
		const late = (unit: Unit) => unit.dts / unit.track.clockRate + (unit.track === AUDIO ? 4 : 0);
		const packaging = packaged(
			[VIDEO, AUDIO],
			[...video, ...audio].toSorted((a, b) => late(a) - late(b)),
		);
		expect(idsOf(packaging, "a0").flat()).toEqual(range(0, audio.length));
		for (const { part } of packaging.rendition("a0")) {
			for (const sample of readFragment(part.bytes).samples) {
				expect(sample.pts % 1024).toBe(0);
				expect(sample.pts / 1024).toBe(idOf("audio", sample.data));
			}
		}
	});

	it("lets sound go on alone when it is video, and comes back at a key frame", () => {
		const video = [...plainVideo(VIDEO, 3), ...plainVideo(VIDEO, 5, { fromMs: 25_000 })];
		const packaging = packaged([VIDEO, AUDIO], interleaved(video, plainAudio(AUDIO, 30)));
		const shapes = packaging.segments.map(
			({ startMs, parts }) => `${startMs - START_MS}:${parts.map(({ rendition }) => rendition.id)}`,
		);
		expect(shapes.slice(0, 4)).toEqual(["0:v0,a0", "2000:v0,a0", "4000:a0", "6000:a0"]);
		expect(shapes).toContain("25000:v0,a0");
		expect(packaging.segments.map(({ discontinuity }) => discontinuity)).not.toContain(true);
		expect(idsOf(packaging, "a0").flat()).toEqual(range(0, plainAudio(AUDIO, 30).length));
		expect(Math.max(...packaging.segments.flatMap(({ parts }) => parts.map(({ duration }) => duration)))).toBeLessThan(
			3,
		);
	});

	it("begins with sound when there is no picture for long", () => {
		const packaging = packaged([VIDEO, AUDIO], plainAudio(AUDIO, 15));
		expect(packaging.segments.length).toBeGreaterThan(5);
		expect(idsOf(packaging, "a0").flat()).toEqual(range(0, plainAudio(AUDIO, 15).length));
	});

	it("waits for another key frame when the one that comes first is from before the begin", () => {
		const video = plainVideo(VIDEO, 4, { gop: 45, fromMs: 19_900 });
		const packaging = packaged([VIDEO, AUDIO], [...plainAudio(AUDIO, 11, { fromMs: 20_000 }), ...video]);
		expect(idsOf(packaging, "v0").flat()).toEqual(range(45, 120));
	});

	it("holds no more than a bound, whatever comes", () => {
		const packaging = new Packaging({ segmentDurationMs: 60_000 });
		packaging.packager.begin([VIDEO, AUDIO]);
		const size = 2 * 1024 * 1024;
		let most = 0;
		for (const unit of range(0, 90).map((i) => picture(VIDEO, i, i * 3000, { key: i === 0, size }))) {
			packaging.packager.push(unit);
			most = Math.max(most, packaging.packager.heldBytes);
		}
		expect(most).toBeLessThanOrEqual(MAX_HELD_BYTES + size);
		packaging.packager.end(ENDED);
		expect(idsOf(packaging, "v0").map((ids) => ids.length)).toEqual([32, 32, 26]);
	});

	it("counts what samples cost besides their bytes", () => {
		const packaging = new Packaging({ segmentDurationMs: 60_000 });
		const alone = audioTrack(0);
		packaging.packager.begin([alone]);
		let frames = 0;
		while (packaging.segments.length === 0 && frames < 600_000) packaging.packager.push(sound(alone, 0, frames++));
		// Of 8 bytes each, which would take 8 million of them.
		expect(frames).toBeLessThan(600_000);
	});
});

describe("what does not continue", () => {
	it("finishes what was begun when the publisher goes, and marks the segment after it comes back", () => {
		const packaging = new Packaging();
		packaging.packager.begin([VIDEO]);
		for (const unit of plainVideo(VIDEO, 3)) packaging.packager.push(unit);
		packaging.packager.pause();
		expect(packaging.rendition("v0").map(({ part }) => part.duration)).toEqual([2, 1]);
		packaging.packager.begin([VIDEO]);
		for (const unit of plainVideo(VIDEO, 2, { fromMs: 100_000 })) packaging.packager.push(unit);
		packaging.packager.end(ENDED);
		expect(packaging.segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true]);
		expect(packaging.segments[2]?.startMs).toBe(START_MS + 100_000);
		// The time line goes on, and goes on soon.
		const ends = packaging.rendition("v0").map(({ part }) => readFragment(part.bytes));
		expect(ends[2]!.decodeTime).toBeGreaterThanOrEqual(ends[1]!.end);
		expect(ends[2]!.decodeTime - ends[1]!.end).toBeLessThan(90_000);
		expect(ends.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
	});

	it("takes a long silence of all tracks for a break", () => {
		const units = interleaved(
			[...plainVideo(VIDEO, 2), ...plainVideo(VIDEO, 2, { fromMs: 22_000 })],
			[...plainAudio(AUDIO, 2), ...plainAudio(AUDIO, 2, { fromMs: 21_950 })],
		);
		const packaging = packaged([VIDEO, AUDIO], units);
		expect(packaging.segments.map(({ discontinuity }) => discontinuity)).toEqual([false, true]);
		expect(packaging.rendition("v0").map(({ part }) => part.duration)).toEqual([2, 2]);
	});

	it("cuts at once where parameter sets change, with a new init segment", () => {
		const first = plainVideo(VIDEO, 3, { gop: 15 });
		const changed = plainVideo(videoTrack(0, OTHER_H264), 2, { fromMs: 3000 });
		const packaging = packaged([VIDEO], [...first, ...changed]);
		const parts = packaging.rendition("v0");
		expect(parts.map(({ segment, part }) => [segment.discontinuity, part.duration])).toEqual([
			[false, 2],
			[false, 1],
			[true, 2],
		]);
		expect(parts[1]?.part.initHash).not.toBe(parts[2]?.part.initHash);
		expect(parts.map(({ part }) => part.rendition.codecs)).toEqual(["avc1.64000D", "avc1.64000D", "avc1.42C00D"]);
		expect(readFragment(parts[2]!.part.bytes).decodeTime).toBe(readFragment(parts[1]!.part.bytes).end);
	});

	it("goes on where parameter sets come again as they were, or are damaged", () => {
		const again = videoTrack(0, { ...H264 });
		const damaged = videoTrack(0, { ...H264, sps: Uint8Array.of(0x67, 1) });
		const units = [
			...plainVideo(VIDEO, 2),
			...plainVideo(again, 2, { fromMs: 2000 }),
			...plainVideo(damaged, 2, { fromMs: 4000 }),
		];
		const packaging = packaged([VIDEO], units);
		expect(packaging.segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, false]);
		expect(new Set(packaging.rendition("v0").map(({ part }) => part.initHash)).size).toBe(1);
	});
});

describe("what is in samples", () => {
	it("leaves delimiters, filler and known parameter sets out, and keeps all else", () => {
		const sei = Uint8Array.of(6, 5, 1, 0, 0x80);
		const otherPps = Uint8Array.of(0x68, 0x5a, 0x11);
		const [key] = plainVideo(VIDEO, 1) as [Unit];
		const slice = key.frames[0] as Uint8Array;
		const frames = [Uint8Array.of(9, 0x10), H264.sps!, H264.pps!, otherPps, sei, slice, Uint8Array.of(12, 0xff, 0x80)];
		const packaging = packaged([VIDEO], [{ ...key, frames: [new Uint8Array(0), ...frames] }]);
		const [sample] = readFragment(packaging.segments[0]!.parts[0]!.bytes).samples;
		const expected = [otherPps, sei, slice].flatMap((nal) => [0, 0, 0, nal.length, ...nal]);
		expect([...sample!.data]).toEqual(expected);
	});

	it("skips units without a picture and frames without a length", () => {
		const units = plainVideo(VIDEO, 2).toSpliced(5, 0, {
			...picture(VIDEO, 99, 13_500),
			frames: [Uint8Array.of(9, 0x10)],
		});
		const packaging = packaged([VIDEO], units);
		expect(idsOf(packaging, "v0").flat()).toEqual(range(0, 60));
		const opus = audioTrack(0, { name: "Opus", channels: 2 });
		// RFC 6716 §3.1: CELT of 20 ms, one frame; then one without a byte and one of impossible length.
		const frames = [Uint8Array.of(0xfc, 1), new Uint8Array(0), Uint8Array.of(0xff, 63), Uint8Array.of(0xfc, 2)];
		const unit: Unit = { track: opus, pts: 0, dts: 0, wallclockMs: START_MS, randomAccess: true, frames };
		const sound = packaged([opus], [unit]);
		expect(readFragment(sound.segments[0]!.parts[0]!.bytes).samples.map(({ duration }) => duration)).toEqual([
			960, 960,
		]);
		expect(sound.segments[0]?.parts[0]?.duration).toBe(0.04);
	});
});

describe("memory", () => {
	it("lies in arenas of the pool until the segment is released, once", () => {
		const packaging = packaged([VIDEO, AUDIO], interleaved(plainVideo(VIDEO, 2), plainAudio(AUDIO, 2)), {
			release: false,
		});
		const [segment] = packaging.segments;
		const arenas = segment!.parts.map(({ bytes }) => bytes.buffer.byteLength);
		expect(packaging.pool.freeBytes).toBe(0);
		segment?.release();
		segment?.release();
		expect(packaging.pool.freeBytes).toBe(arenas[0]! + arenas[1]!);
	});
});

describe("which tracks", () => {
	it("leaves out what HLS does not carry, and says so", () => {
		const telemetry: Track = { ...VIDEO, index: 2, kind: "application", codec: { name: "Generic" } };
		const phone = audioTrack(1, { name: "G711", law: "a", sampleRate: 8000, channels: 1 });
		const packaging = packaged([VIDEO, phone, telemetry], plainVideo(VIDEO, 1));
		expect(packaging.skipped).toEqual([
			"1: G711 is not carried in HLS; publish AAC or Opus",
			"2: It is neither video nor audio",
		]);
		expect(packaging.problems).toEqual([]);
		expect(packaging.segments).toHaveLength(1);
	});

	it("tells a publisher of VP8 what to publish instead", () => {
		const packaging = packaged([videoTrack(0, { name: "VP8" }), AUDIO], plainAudio(AUDIO, 3));
		expect(packaging.skipped).toEqual(["0: VP8 is not carried in HLS; publish H264, H265, VP9 or AV1"]);
		expect(packaging.segments.map(({ parts }) => parts.map(({ rendition }) => rendition.id))).toEqual([["a0"], ["a0"]]);
	});

	it("reports a publisher of whom nothing can be packaged", () => {
		const phone = audioTrack(0, { name: "G711", law: "mu", sampleRate: 8000, channels: 1 });
		const packaging = packaged([phone], [sound(phone, 0, 0)]);
		expect(packaging.problems.map(({ code, message }) => [code, message])).toEqual([
			["media.unsupported", "HLS carries none of the tracks (G711); publish H264, H265, VP9, AV1, AAC or Opus"],
		]);
		expect(packaging.segments).toEqual([]);
	});

	it("waits for parameter sets that a publisher did not announce", () => {
		const blank = videoTrack(0, { name: "H264", sps: null, pps: null });
		const units = [...plainVideo(blank, 1), ...plainVideo(VIDEO, 2, { fromMs: 1000 })];
		const packaging = packaged([blank], units);
		expect(packaging.skipped).toEqual([]);
		expect(packaging.segments.map(({ discontinuity, startMs }) => [discontinuity, startMs - START_MS])).toEqual([
			[false, 1000],
		]);
	});

	it("numbers several tracks of a kind", () => {
		const second = audioTrack(2);
		const packaging = packaged(
			[AUDIO, VIDEO, second].map((track, index) => ({ ...track, index })),
			interleaved(
				plainVideo({ ...VIDEO, index: 1 }, 4),
				plainAudio({ ...AUDIO, index: 0 }, 4),
				plainAudio({ ...second, index: 2 }, 4),
			),
		);
		expect(packaging.segments.map(({ parts }) => parts.map(({ rendition }) => rendition.id))).toEqual([
			["a0", "v0", "a1"],
			["a0", "v0", "a1"],
		]);
	});

	it("measures the frame rate when parameter sets do not tell it", () => {
		// The same without video usability information: no frame rate.
		const sps = Uint8Array.from(Buffer.from("6742c00dd90141fa", "hex"));
		const track = videoTrack(0, { name: "H264", sps, pps: H264.pps });
		const packaging = packaged([track], plainVideo(track, 4));
		expect(packaging.segments.map(({ parts }) => parts[0]?.rendition.frameRate)).toEqual([30, 30]);
	});
});

describe("wall-clock time", () => {
	it("is taken anew where a discontinuity is anyway", () => {
		const stepped = plainVideo(videoTrack(0, OTHER_H264), 2, { fromMs: 2000 });
		const units = stepped.map((unit) => ({ ...unit, wallclockMs: unit.wallclockMs + 5000 }));
		const { segments } = packaged([VIDEO], [...plainVideo(VIDEO, 2), ...units]);
		expect(segments.map(({ startMs }) => startMs - START_MS)).toEqual([0, 7000]);
	});

	it("advances with media time, makes up for drift slowly, and follows no leap", () => {
		const drifting = plainVideo(VIDEO, 20).map((unit, i) => ({
			...unit,
			wallclockMs: unit.wallclockMs + (i > 300 ? 5000 : 0),
		}));
		const starts = packaged([VIDEO], drifting).segments.map(({ startMs }) => startMs - START_MS);
		expect(starts).toEqual([0, 2000, 4000, 6000, 8000, 10_000, 12_002, 14_004, 16_006, 18_008]);
	});
});
