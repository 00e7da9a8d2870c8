import { expect, it } from "vitest";
import { ArenaPool, MIN_ARENA_BYTES } from "./arena-pool.ts";
import { SegmentArena } from "./segment-arena.ts";

const HEADER = Uint8Array.of(1, 2, 3);

it("puts the header right before the samples, without moving them", () => {
	const arena = new SegmentArena(new ArenaPool(), 10, 100);
	arena.append(Uint8Array.of(4, 5));
	arena.appendNal(Uint8Array.of(6));
	const samples = arena.from(0);
	const segment = arena.finish(HEADER);
	expect([...segment]).toEqual([1, 2, 3, 4, 5, 0, 0, 0, 1, 6]);
	expect(segment.buffer).toBe(samples.buffer);
	expect(segment.byteOffset).toBe(samples.byteOffset - HEADER.length);
});

it("grows beyond what was expected, and gives what it outgrew back", () => {
	const pool = new ArenaPool();
	const arena = new SegmentArena(pool, 16, 100);
	const pieces = Array.from({ length: 20 }, (_, i) => new Uint8Array(10_000).fill(i));
	for (const piece of pieces) arena.append(piece);
	expect(arena.length).toBe(200_000);
	expect(pool.freeBytes).toBeGreaterThan(0);
	expect([...arena.finish(HEADER)]).toEqual([...HEADER, ...pieces.flatMap((piece) => [...piece])]);
	arena.release();
	// 32 KiB, 64, 128, 256: each twice the one before.
	expect(pool.made).toBe(4);
	expect(pool.freeBytes).toBe((32 + 64 + 128 + 256) * 1024);
});

it.each([
	{ room: "there is room behind the samples", payload: 100 },
	{ room: "the memory is full", payload: MIN_ARENA_BYTES - 2 },
])("makes more headroom than was expected when $room", ({ payload }) => {
	const arena = new SegmentArena(new ArenaPool(), 2, payload);
	const samples = Uint8Array.from({ length: payload }, (_, i) => i % 251);
	arena.append(samples);
	expect([...arena.finish(HEADER)]).toEqual([...HEADER, ...samples]);
});

it("takes samples out again", () => {
	const arena = new SegmentArena(new ArenaPool(), 10, 100);
	arena.append(Uint8Array.of(4, 5, 6));
	arena.truncate(1);
	arena.append(Uint8Array.of(7));
	expect([...arena.from(0)]).toEqual([4, 7]);
	expect([...arena.from(1)]).toEqual([7]);
	expect(() => arena.truncate(3)).toThrow(RangeError);
});
