import fc from "fast-check";
import { expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { parseVp9KeyFrame } from "../../media-node/codecs/vp9.ts";
import { MAX_HELD_BYTES } from "../../media-node/hls/packager.ts";
import type { Track } from "../../media-node/stream/track.ts";
import { readFragment } from "../support/fragment-reader.ts";
import { bytesOfHex } from "../support/hex.ts";
import { mutated } from "../support/mutate.ts";
import { Packaging } from "../support/packaging.ts";
import { AAC, H264, OTHER_H264, START_MS } from "../support/synthetic-units.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const H265: Codec = {
	name: "H265",
	vps: bytesOfHex("40010c01ffff01600000030090000003000003003c959409"),
	sps: bytesOfHex("42010101600000030090000003000003003ca00a080f16595952930bc05a020000030002000003003c10"),
	pps: bytesOfHex("4401c073c189"),
};
const AV1 = { name: "AV1", sequenceHeader: bytesOfHex("080000000cc4ff6736be4010") } as const;
const VP9: Codec = { name: "VP9", picture: parseVp9KeyFrame(bytesOfHex("824983420027f016760438241c184a10")) };
const set = (...seeds: (Uint8Array | null)[]) =>
	fc.oneof(fc.constant(null), mutated(seeds.filter((each) => each !== null)));
const codec: fc.Arbitrary<Codec> = fc.oneof(
	fc.constantFrom<Codec>(H264, OTHER_H264, H265, AAC, { name: "Opus", channels: 2 }, { name: "Generic" }),
	fc.record({ name: fc.constant("H264" as const), sps: set(H264.sps), pps: set(H264.pps) }),
	fc.record({ name: fc.constant("H265" as const), vps: set(H265.vps), sps: set(H265.sps), pps: set(H265.pps) }),
	fc.constantFrom<Codec>(AV1, VP9, { name: "AV1" }, { name: "VP9" }, { name: "VP8" }),
	fc.record({ name: fc.constant("AV1" as const), sequenceHeader: mutated([AV1.sequenceHeader]) }),
	fc.record({
		name: fc.constant("MPEG-4 Audio" as const),
		config: mutated([bytesOfHex("1190"), bytesOfHex("2b098800")]),
	}),
	fc.record({ name: fc.constant("Opus" as const), channels: fc.nat(8) }),
);
const rtp = { payloadType: 96, encoding: "X/1", fmtp: "" };
const track: fc.Arbitrary<Omit<Track, "index">> = fc.oneof(
	{ weight: 3, arbitrary: fc.constant({ kind: "video" as const, codec: H264, clockRate: 90_000, rtp }) },
	{ weight: 3, arbitrary: fc.constant({ kind: "audio" as const, codec: AAC, clockRate: 48_000, rtp }) },
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constantFrom("video", "audio", "application"),
			codec,
			clockRate: fc.constantFrom(90_000, 48_000, 0, 1, 1000, 1_000_000, 2 ** 32, -1, Number.NaN),
			rtp: fc.constant(rtp),
		}),
	},
);
/** How far a track's time moves, in milliseconds: mostly as in real streams. */
const step = fc.oneof(
	{ weight: 60, arbitrary: fc.integer({ min: 0, max: 400 }) },
	{ weight: 3, arbitrary: fc.integer({ min: -3000, max: 30_000 }) },
	{ weight: 1, arbitrary: fc.constantFrom(-1e15, 1e15, 1e11, 2 ** 33, Number.NaN) },
);
const frame = fc.oneof(
	{ weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
	{
		weight: 4,
		arbitrary: fc.constantFrom(
			Uint8Array.of(0x65, 1),
			Uint8Array.of(0x41, 2),
			Uint8Array.of(0x26, 1, 3),
			Uint8Array.of(0xfc, 4),
			Uint8Array.of(0x34, 0, 0x10),
			AV1.sequenceHeader,
		),
	},
);
const action = fc.oneof(
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant("begin" as const), tracks: fc.array(track, { maxLength: 4 }) }),
	},
	{ weight: 1, arbitrary: fc.constant({ kind: "pause" as const }) },
	{
		weight: 120,
		arbitrary: fc.record({
			kind: fc.constant("push" as const),
			track: fc.nat(3),
			codec: fc.oneof({ weight: 20, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: codec }),
			step,
			reorder: fc.oneof(
				{ weight: 9, arbitrary: fc.nat(100) },
				{ weight: 1, arbitrary: fc.integer({ min: -200, max: 20_000 }) },
			),
			randomAccess: fc.boolean(),
			frames: fc.array(frame, { maxLength: 3, size: "max" }),
		}),
	},
);

it("packages whatever units come, in order, or leaves them out, and never throws", () => {
	let segments = 0;
	fc.assert(
		fc.property(
			fc.array(track, { minLength: 1, maxLength: 4, size: "max" }),
			fc.array(action, { maxLength: 250, size: "max" }),
			(first, actions) => {
				const packaging = new Packaging({ segmentDurationMs: 1000 });
				let tracks: Track[] = [];
				let times: number[] = [];
				const begin = (list: readonly Omit<Track, "index">[]) => {
					tracks = list.map((each, index) => ({ ...each, index }));
					times = list.map(() => 10_000);
					packaging.packager.begin(tracks);
				};
				begin(first);
				for (const each of actions) {
					if (each.kind === "begin") begin(each.tracks);
					else if (each.kind === "pause") packaging.packager.pause();
					else {
						const pushed = tracks[each.track];
						if (pushed === undefined) continue;
						const timeMs = times[each.track]! + each.step;
						if (Math.abs(each.step) < 1e12) times[each.track] = timeMs;
						const pts = Math.round((timeMs * pushed.clockRate) / 1000);
						const dts = pts - Math.round((each.reorder * pushed.clockRate) / 1000);
						packaging.packager.push({
							track: each.codec === null ? pushed : { ...pushed, codec: each.codec },
							pts,
							dts,
							wallclockMs: START_MS + timeMs,
							randomAccess: pushed.kind === "audio" || each.randomAccess,
							frames: each.frames,
						});
						expect(packaging.packager.heldBytes).toBeLessThanOrEqual(MAX_HELD_BYTES);
					}
				}
				packaging.packager.end(new GoneError("stream.ended", "The test is over"));
				expect(packaging.packager.heldBytes).toBe(0);

				const ends = new Map<string, number>();
				for (const segment of packaging.segments) {
					expect(segment.parts.length).toBeGreaterThan(0);
					expect(Number.isSafeInteger(segment.startMs) && segment.startMs >= 0).toBe(true);
					for (const { rendition, duration, bytes } of segment.parts) {
						const { decodeTime, end, samples } = readFragment(bytes);
						expect(samples.length).toBeGreaterThan(0);
						expect(duration).toBeGreaterThan(0);
						expect(duration).toBeLessThan(1000);
						expect(decodeTime).toBeGreaterThanOrEqual(0);
						expect(end).toBeGreaterThan(decodeTime);
						// The time line never goes back, not even where the publisher changes.
						const tick = duration / (end - decodeTime);
						expect(decodeTime * tick).toBeGreaterThanOrEqual((ends.get(rendition.id) ?? 0) - 1e-6);
						ends.set(rendition.id, end * tick);
					}
				}
				segments += packaging.segments.length;
			},
		),
		{ seed, numRuns: 2000 },
	);
	expect(segments).toBeGreaterThan(5000);
});
