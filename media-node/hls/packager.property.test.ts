import fc from "fast-check";
import { expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { readFragment } from "../../test/support/fragment-reader.ts";
import { Packaging } from "../../test/support/packaging.ts";
import {
	AAC_FRAME_TICKS,
	audioTrack,
	idOf,
	picture,
	START_MS,
	sound,
	videoTrack,
} from "../../test/support/synthetic-units.ts";
import type { Unit } from "../stream/unit.ts";
import { MAX_LAG_MS } from "./packager.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_260);
const VIDEO = videoTrack(0);
const AUDIO = audioTrack(1);

type Stream = {
	/** Frames of each group of pictures. */
	readonly groups: readonly number[];
	/** B-frames between references. */
	readonly bFrames: number;
	/** In ticks. */
	readonly frameTicks: number;
	/** Added to each frame's time: less than half a frame. */
	readonly jitter: readonly number[];
	readonly audioFromMs: number;
	/** How much later than video sound arrives; negative: earlier. */
	readonly audioLagMs: number;
	readonly framesPerUnit: number;
	readonly segmentDurationMs: number;
};

const stream: fc.Arbitrary<Stream> = fc.record({
	groups: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 }),
	bFrames: fc.integer({ min: 0, max: 3 }),
	frameTicks: fc.constantFrom(1500, 3000, 3003, 3600, 9000),
	jitter: fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 30 }),
	audioFromMs: fc.integer({ min: -500, max: 500 }),
	audioLagMs: fc.integer({ min: -2500, max: 2500 }),
	framesPerUnit: fc.integer({ min: 1, max: 6 }),
	segmentDurationMs: fc.constantFrom(500, 1000, 2000, 4000),
});

/** Video in decoding order: each group is a key frame, then references that each come before their B-frames. */
function videoOf({ groups, bFrames, frameTicks, jitter }: Stream): Unit[] {
	const shown = groups.reduce((sum, group) => sum + group, 0);
	const times = Array.from({ length: shown }, (_, i) => i * frameTicks + jitter[i % jitter.length]!);
	const units: Unit[] = [];
	let first = 0;
	for (const group of groups) {
		const order = [first];
		for (let at = first + 1; at < first + group; at += bFrames + 1) {
			const reference = Math.min(at + bFrames, first + group - 1);
			order.push(reference);
			for (let b = at; b < reference; b++) order.push(b);
		}
		for (const i of order) {
			const n = units.length;
			// One frame late where frames are reordered.
			const dts = bFrames === 0 ? times[n]! : n === 0 ? times[0]! - frameTicks : times[n - 1]!;
			units.push(picture(VIDEO, i, times[i]!, { key: i === first, dts, size: 5 + (i % 40) }));
		}
		first += group;
	}
	return units;
}

function audioOf({ groups, frameTicks, audioFromMs, framesPerUnit }: Stream): Unit[] {
	const totalMs = (groups.reduce((sum, group) => sum + group, 0) * frameTicks) / 90;
	const units: Unit[] = [];
	let pts = audioFromMs * 48;
	for (let id = 0; pts / 48 < totalMs; id += framesPerUnit) {
		units.push(sound(AUDIO, id, pts, { frames: framesPerUnit }));
		pts += framesPerUnit * AAC_FRAME_TICKS;
	}
	return units;
}

function check(options: Stream): void {
	const video = videoOf(options);
	const audio = audioOf(options);
	const arrival = (unit: Unit) =>
		unit.dts / unit.track.clockRate + (unit.track === AUDIO ? options.audioLagMs / 1000 : 0);
	const packaging = new Packaging({ segmentDurationMs: options.segmentDurationMs });
	packaging.packager.begin([VIDEO, AUDIO]);
	for (const unit of [...video, ...audio].toSorted((a, b) => arrival(a) - arrival(b))) packaging.packager.push(unit);
	packaging.packager.end(new GoneError("stream.ended", "The test is over"));

	const pictures = packaging
		.rendition("v0")
		.map(({ segment, part }) => ({ segment, part, ...readFragment(part.bytes) }));
	const sounds = packaging.rendition("a0").map(({ segment, part }) => ({ segment, part, ...readFragment(part.bytes) }));
	const shift = pictures[0]!.samples[0]!.dts - video[0]!.dts;
	expect(shift % 90_000).toBe(0);

	// No unit is lost or doubled, and each keeps its times.
	expect(
		pictures.flatMap(({ samples }) => samples.map(({ dts, pts, sync, data }) => [idOf("video", data), dts, pts, sync])),
	).toEqual(
		video.map((unit) => [
			idOf("video", Uint8Array.of(0, 0, 0, 0, ...unit.frames[0]!)),
			unit.dts + shift,
			unit.pts + shift,
			unit.randomAccess,
		]),
	);
	const beginMs = video[0]!.pts / 90;
	const frames = audio.flatMap(({ pts, frames }) =>
		frames.map((frame, i) => [idOf("audio", frame), pts + i * AAC_FRAME_TICKS] as const),
	);
	expect(
		sounds.flatMap(({ samples }) => samples.map(({ pts, data }) => [idOf("audio", data), pts - (shift / 90) * 48])),
	).toEqual(frames.filter(([, pts]) => pts / 48 >= beginMs));

	// Parts follow each other without a gap or an overlap, and durations are what the ticks say.
	for (const [parts, rate] of [
		[pictures, 90_000],
		[sounds, 48_000],
	] as const) {
		for (const [i, part] of parts.entries()) {
			expect(part.part.duration).toBe((part.end - part.decodeTime) / rate);
			if (i > 0) expect(part.decodeTime).toBe(parts[i - 1]!.end);
		}
	}

	// Cuts are at key frames, and no earlier than wanted.
	const halfMs = (options.frameTicks + 1400) / 180;
	for (const [i, { part, samples, segment }] of pictures.entries()) {
		expect(samples[0]!.sync).toBe(true);
		if (i < pictures.length - 1)
			expect(part.duration * 1000).toBeGreaterThanOrEqual(options.segmentDurationMs - 4 * halfMs);
		expect(Math.abs(segment.startMs - START_MS - (samples[0]!.pts - shift) / 90)).toBeLessThanOrEqual(1);
		const ends = pictures[i + 1];
		const sound = sounds.find((each) => each.segment === segment);
		if (sound === undefined || options.audioLagMs > MAX_LAG_MS) continue;
		expect(sound.samples[0]!.pts / 48).toBeGreaterThanOrEqual(samples[0]!.pts / 90 - 1e-6);
		if (ends !== undefined) expect(sound.samples.at(-1)!.pts / 48).toBeLessThan(ends.samples[0]!.pts / 90);
	}
	expect(packaging.segments.every(({ discontinuity }) => !discontinuity)).toBe(true);
	expect(packaging.packager.heldBytes).toBe(0);
}

it("loses, doubles and overlaps nothing, whatever the groups of pictures and the order of arrival", () => {
	fc.assert(fc.property(stream, check), { seed: SEED, numRuns: 300 });
});
