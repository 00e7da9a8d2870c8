import { describe, expect, it } from "vitest";
import { GopCache, MAX_GOP_BYTES, MAX_GOP_MS } from "./gop-cache.ts";
import type { RtpBatch } from "./rtp-batch.ts";

function batch(randomAccess: boolean, arrivalMs: number, size = 100): RtpBatch {
	return { bytes: new Uint8Array(size), packets: [0, 4, size - 4], randomAccess, arrivalMs };
}

function newCache(): GopCache {
	const cache = new GopCache();
	cache.turn(true);
	return cache;
}

describe("GopCache", () => {
	it("keeps what came since the last key frame", () => {
		const cache = newCache();
		const all = [true, false, false, true, false].map((isKey, i) => batch(isKey, i));
		for (const one of all) cache.push(one);
		expect(cache.batches).toEqual(all.slice(3));
		expect(cache.batches[0]).toBe(all[3]);
	});

	it("keeps nothing before the first key frame, while it is off, or after it was turned off", () => {
		const cache = new GopCache();
		cache.push(batch(true, 0));
		expect(cache.batches).toEqual([]);
		cache.turn(true);
		cache.push(batch(false, 0));
		expect(cache.batches).toEqual([]);
		cache.push(batch(true, 0));
		expect(cache.batches).toHaveLength(1);
		cache.turn(true);
		expect(cache.batches).toHaveLength(1);
		cache.turn(false);
		expect(cache.batches).toEqual([]);
	});

	it.each([
		["costs too much", 40, MAX_GOP_BYTES / 4],
		["lasts too long", MAX_GOP_MS / 3, 100],
		["came while the clock was set back", -MAX_GOP_MS / 3, 100],
	])("drops a group of pictures that %s, until the next key frame", (_, stepMs, size) => {
		const cache = newCache();
		const counts = [0, 1, 2, 3, 4, 5].map((i) => {
			cache.push(batch(i === 0, 50_000 + i * stepMs, size));
			return cache.batches.length;
		});
		expect(counts.slice(0, 3)).toEqual([1, 2, 3]);
		expect(counts.slice(4)).toEqual([0, 0]);
		cache.push(batch(true, 100_000));
		expect(cache.batches).toHaveLength(1);
	});

	it("counts what small batches cost beside their bytes", () => {
		const cache = newCache();
		cache.push(batch(true, 0, 20));
		let most = 0;
		for (let i = 0; i < 60_000; i++) {
			cache.push(batch(false, 0, 20));
			most = Math.max(most, cache.batches.length);
		}
		expect(most).toBeGreaterThan(20_000);
		expect(most).toBeLessThan(MAX_GOP_BYTES / 256);
		expect(cache.batches).toEqual([]);
	});

	it("tells the numbers of the first packet of each track", () => {
		const cache = newCache();
		const packet = (sequence: number, time: number) => [0x80, 96, 0, sequence, 0, 0, 0, time, 0, 0, 0, 9];
		const bytes = Uint8Array.from([...[0x24, 0, 0, 12], ...packet(1, 2), ...[0x24, 2, 0, 12], ...packet(3, 4)]);
		cache.push({ bytes, packets: [0, 4, 12], randomAccess: true, arrivalMs: 0 });
		expect(cache.position(1)).toBeNull();
		cache.push({ bytes, packets: [0, 4, 12, 1, 20, 12], randomAccess: false, arrivalMs: 0 });
		expect(cache.position(0)).toEqual({ sequence: 1, rtpTime: 2, ssrc: 9 });
		expect(cache.position(1)).toEqual({ sequence: 3, rtpTime: 4, ssrc: 9 });
		cache.clear();
		expect(cache.position(0)).toBeNull();
	});
});
