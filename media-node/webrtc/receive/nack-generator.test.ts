import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_MISSING, MAX_TRIES, NackGenerator } from "./nack-generator.ts";

describe("NackGenerator", () => {
	it("asks for what is missing over the wrap of the numbers", () => {
		const nack = new NackGenerator();
		nack.received(65_533, 0);
		nack.received(2, 1);
		expect(nack.due(5)).toEqual([]);
		expect(nack.due(6)).toEqual([65_534, 65_535, 0, 1]);
	});

	it("does not ask for packets that only changed places", () => {
		const nack = new NackGenerator();
		for (const [sequence, ms] of [
			[1, 0],
			[3, 1],
			[2, 3],
		] as const)
			nack.received(sequence, ms);
		expect(nack.due(1_000)).toEqual([]);
		expect(nack).toMatchObject({ asked: 0, recovered: 0 });
	});

	it("asks again after the time that answers take, and gives up", () => {
		const nack = new NackGenerator();
		nack.received(1, 0);
		nack.received(3, 0);
		nack.received(5, 0);
		expect(nack.due(10)).toEqual([2, 4]);
		nack.received(4, 60);
		expect(nack.rttMs).toBe(50);
		expect(nack.due(60)).toEqual([]);
		const asked: number[] = [];
		for (let ms = 61; ms < 1_000; ms++) if (nack.due(ms).length > 0) asked.push(ms);
		// The first question waited as long as it was assumed that answers take; the others 50 ms and a little more.
		expect(asked).toEqual([120, 180, 240]);
		expect(asked).toHaveLength(MAX_TRIES - 1);
		expect(nack).toMatchObject({ missing: 0, givenUp: 1, recovered: 1 });
	});

	it("does not ask for what nobody waits for any more", () => {
		const nack = new NackGenerator();
		nack.received(1, 0);
		nack.received(10, 0);
		nack.forget(5);
		expect(nack.due(10)).toEqual([6, 7, 8, 9]);
	});

	it("asks for nothing after a gap that a key frame fills better", () => {
		const nack = new NackGenerator();
		nack.received(1, 0);
		nack.received(4, 0);
		nack.received(4 + MAX_MISSING + 2, 0);
		expect(nack.due(10)).toEqual([]);
		nack.received(4 + MAX_MISSING + 4, 0);
		expect(nack.due(20)).toEqual([4 + MAX_MISSING + 3]);
	});

	it("asks for exactly what was lost, from anywhere, whatever was lost", () => {
		const losses = fc.array(fc.boolean(), { minLength: 2, maxLength: 400 });
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0xffff }), losses, (start, isLost) => {
				const nack = new NackGenerator();
				const lost = new Set<number>();
				isLost[0] = isLost[isLost.length - 1] = false;
				for (const [i, gone] of isLost.entries()) {
					const sequence = (start + i) & 0xffff;
					if (gone) lost.add(sequence);
					else nack.received(sequence, 0);
				}
				const asked = nack.due(10);
				expect(asked).toEqual([...lost]);
				for (const sequence of asked) nack.received(sequence, 50);
				expect(nack.due(10_000)).toEqual([]);
				expect(nack.recovered).toBe(lost.size);
			}),
		);
	});
});
