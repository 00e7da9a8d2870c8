import { expect, it } from "vitest";
import { ArenaPool, MIN_ARENA_BYTES } from "./arena-pool.ts";

it("gives arenas of the next power of two", () => {
	const pool = new ArenaPool();
	expect(pool.take(1)).toHaveLength(MIN_ARENA_BYTES);
	expect(pool.take(MIN_ARENA_BYTES)).toHaveLength(MIN_ARENA_BYTES);
	expect(pool.take(MIN_ARENA_BYTES + 1)).toHaveLength(2 * MIN_ARENA_BYTES);
	expect(pool.take(3_000_000)).toHaveLength(4 * 1024 * 1024);
});

it("uses again what is given back, by size", () => {
	const pool = new ArenaPool();
	const small = pool.take(1);
	const large = pool.take(1_000_000);
	pool.give(small);
	pool.give(large);
	expect(pool.freeBytes).toBe(small.length + large.length);
	expect(pool.take(900_000)).toBe(large);
	expect(pool.take(10)).toBe(small);
	expect(pool.freeBytes).toBe(0);
	expect(pool.made).toBe(2);
});

it("keeps no more than it may", () => {
	const pool = new ArenaPool(2 * MIN_ARENA_BYTES);
	const arenas = [pool.take(1), pool.take(1), pool.take(1)];
	for (const arena of arenas) pool.give(arena);
	expect(pool.freeBytes).toBe(2 * MIN_ARENA_BYTES);
});
