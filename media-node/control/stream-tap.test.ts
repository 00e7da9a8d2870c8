import { describe, expect, it } from "vitest";
import { audioTrack, videoTrack } from "../../test/support/synthetic-units.ts";
import { putU32 } from "../bytes/big-endian.ts";
import type { RtpBatch } from "../stream/rtp-batch.ts";
import { StreamTap } from "./stream-tap.ts";

const tracks = [videoTrack(), audioTrack()];
const FRAME = 3_600;

function unit(track: number, pts: number, randomAccess: boolean) {
	return { track: tracks[track] ?? videoTrack(), pts, dts: pts, wallclockMs: 0, randomAccess, frames: [] };
}

/** 25 frames a second; `order` is how frames of each group are numbered as they are shown. */
function play(tap: StreamTap, frames: number, gop: number, order = [0]) {
	for (let i = 0; i < frames; i++) {
		const shown = i - (i % order.length) + (order[i % order.length] ?? 0);
		tap.push(unit(0, shown * FRAME, i % gop === 0));
	}
}

function batch(times: readonly number[], randomAccess: boolean, track = 0): RtpBatch {
	const bytes = new Uint8Array(times.length * 16);
	const packets = times.flatMap((time, i) => {
		putU32(bytes, i * 16 + 8, time >>> 0);
		return [track, i * 16 + 4, 12];
	});
	return { bytes, packets, randomAccess, arrivalMs: 0 };
}

function opened(): StreamTap {
	const tap = new StreamTap();
	tap.begin(tracks);
	return tap;
}

describe("a tap on a stream", () => {
	it("knows no interval before the second key frame", () => {
		const tap = opened();
		play(tap, 40, 50);
		expect(tap.keyFrameIntervalMs).toBeNull();
		play(tap, 51, 50);
		expect(tap.keyFrameIntervalMs).toBe(2_000);
	});

	it("tells how long it has been when the next key frame does not come", () => {
		const tap = opened();
		play(tap, 251, 1_000);
		expect(tap.keyFrameIntervalMs).toBe(10_000);
	});

	it("finds frames in another order than they are shown in", () => {
		const straight = opened();
		play(straight, 100, 50);
		expect(straight.reordered).toBe(0);
		const withB = opened();
		play(withB, 100, 50, [0, 3, 1, 2]);
		expect(withB.reordered).toBeGreaterThan(20);
	});

	it("takes a leap back in time for a new beginning, and for no order of frames", () => {
		const tap = opened();
		play(tap, 101, 50);
		play(tap, 10, 50);
		expect(tap.reordered).toBe(0);
		expect(tap.keyFrameIntervalMs).toBeNull();
	});

	it("forgets what was before a pause", () => {
		const tap = opened();
		play(tap, 101, 50);
		tap.pause();
		expect(tap.keyFrameIntervalMs).toBeNull();
	});

	it("counts what each track brings", () => {
		const tap = opened();
		play(tap, 10, 5);
		tap.push(unit(1, 0, true));
		expect([tap.count(0), tap.count(1), tap.count(2)]).toEqual([10, 1, 0]);
	});

	it("sees the same in packets, over the wrap of their time stamps", () => {
		const tap = opened();
		let time = 0xffff_ffff - 30 * FRAME;
		for (let i = 0; i <= 100; i++, time += FRAME) tap.push(batch([time, time, time], i % 50 === 0));
		expect(tap.keyFrameIntervalMs).toBe(2_000);
		expect(tap.reordered).toBe(0);
		expect(tap.count(0)).toBe(303);
		tap.push(batch([time - 2 * FRAME], false));
		expect(tap.reordered).toBe(1);
		tap.push(batch([5, 6], true, 1));
		expect(tap.keyFrameIntervalMs).toBe(2_000);
	});
});
