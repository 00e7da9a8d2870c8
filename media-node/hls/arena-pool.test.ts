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

/** Takes and gives as `streams` packagers do that end all their segments in one moment. */
function runSegments(pool: ArenaPool, streams: number, segments: number): void {
	let open = Array.from({ length: streams }, () => pool.take(1));
	for (let i = 0; i < segments; i++) {
		const ended = open;
		open = ended.map(() => pool.take(1));
		for (const arena of ended) pool.give(arena);
	}
	for (const arena of open) pool.give(arena);
}

it("keeps what it must keep at least, and no more when so much was never in use", () => {
	const pool = new ArenaPool(2 * MIN_ARENA_BYTES);
	const arenas = [pool.take(1), pool.take(1), pool.take(1)];
	for (const arena of arenas) pool.give(arena);
	expect(pool.freeBytes).toBe(2 * MIN_ARENA_BYTES);
});

it("keeps as many arenas as were in use at once, however many streams end a segment in one moment", () => {
	const pool = new ArenaPool(0);
	const others = pool.take(1);
	runSegments(pool, 500, 1);
	const { made } = pool;
	expect(made).toBe(1001);
	expect(pool.freeBytes).toBe(1000 * MIN_ARENA_BYTES);
	runSegments(pool, 500, 5);
	expect(pool.made).toBe(made);
	pool.give(others);
});

it("gives memory back to the system once fewer are in use for two spans", () => {
	const pool = new ArenaPool(0);
	const staying = pool.take(1);
	runSegments(pool, 500, 2);
	expect(pool.freeBytes).toBe(1000 * MIN_ARENA_BYTES);
	for (let i = 0; i < 200; i++) pool.give(pool.take(1));
	expect(pool.freeBytes).toBe(MIN_ARENA_BYTES);
	pool.give(staying);
});

it("gives memory back at once when the last stream leaves", () => {
	const pool = new ArenaPool(3 * MIN_ARENA_BYTES);
	runSegments(pool, 500, 2);
	expect(pool.freeBytes).toBe(3 * MIN_ARENA_BYTES);
});

it("does not keep arenas of a size that is out of use for those of another", () => {
	const pool = new ArenaPool(0);
	const staying = pool.take(1);
	const large = Array.from({ length: 10 }, () => pool.take(1_000_000));
	for (const arena of large) pool.give(arena);
	expect(pool.freeBytes).toBe(10 * 2 ** 20);
	runSegments(pool, 100, 8);
	expect(pool.freeBytes).toBe(200 * MIN_ARENA_BYTES);
	pool.give(staying);
});

it("never keeps more than its greatest bound", () => {
	const pool = new ArenaPool(2 * MIN_ARENA_BYTES, 5 * MIN_ARENA_BYTES);
	const staying = pool.take(1);
	runSegments(pool, 100, 3);
	expect(pool.freeBytes).toBe(5 * MIN_ARENA_BYTES);
	pool.give(staying);
});
