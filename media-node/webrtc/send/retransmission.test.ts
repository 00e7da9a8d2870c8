import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HISTORY_BYTES, HISTORY_MS, Retransmission } from "./retransmission.ts";

const found = () => ({ bytes: new Uint8Array(0), offset: 0, length: 0, transportSequence: 0 });

describe("Retransmission", () => {
	it("gives back where a packet is, over the wrap of the numbers", () => {
		const history = new Retransmission();
		const batch = new Uint8Array(5_000);
		for (let i = 0; i < 10; i++) history.push((65_530 + i) & 0xffff, batch, i * 100, 90 + i, 7, 0);
		const one = found();
		expect(history.take(one, 2, 20, 1e6, 50)).toBe(true);
		expect(one).toEqual({ bytes: batch, offset: 800, length: 98, transportSequence: 7 });
		expect(one.bytes).toBe(batch);
		expect(history.take(one, 4, 20, 1e6, 50)).toBe(false);
		expect(history.take(one, 65_529, 20, 1e6, 50)).toBe(false);
	});

	it("keeps what is younger than a second, and no more than a megabyte", () => {
		const history = new Retransmission();
		const batch = new Uint8Array(1_200);
		for (let i = 0; i < 300; i++) history.push(i, batch, 0, 1_200, 7, i * 10);
		expect(history.heldPackets).toBe(HISTORY_MS / 10 + 1);
		expect(history.take(found(), 198, 0, 1e6, 3_000)).toBe(false);
		expect(history.take(found(), 199, 0, 1e6, 3_000)).toBe(true);
		for (let i = 300; i < 3_000; i++) history.push(i, batch, 0, 1_200, 7, 3_000);
		expect(history.heldBytes).toBeLessThanOrEqual(HISTORY_BYTES);
		expect(history.heldBytes).toBeGreaterThan(HISTORY_BYTES - 1_200);
		history.clear();
		expect(history).toMatchObject({ heldBytes: 0, heldPackets: 0 });
	});

	it("does not send the same packet again within a round trip", () => {
		const history = new Retransmission();
		history.push(1, new Uint8Array(100), 0, 100, 7, 0);
		expect([0, 50, 99, 100, 150, 200].map((ms) => history.take(found(), 1, 100, 1e6, ms))).toEqual([
			true,
			false,
			false,
			true,
			false,
			true,
		]);
	});

	it("sends a bounded part of the rate again", () => {
		const history = new Retransmission();
		for (let i = 0; i < 500; i++) history.push(i, new Uint8Array(1_000), 0, 1_000, 7, 0);
		let sent = 0;
		for (let i = 0; i < 500; i++) if (history.take(found(), i, 20, 2e6, 0)) sent++;
		expect(sent).toBe(65);
		for (let i = 65; i < 500; i++) if (history.take(found(), i, 20, 2e6, 400)) sent++;
		// 1 Mbit/s for 400 ms, and what was left before.
		expect(sent).toBe(65 + 50);
	});

	it("knows nothing of numbers that were left out", () => {
		const history = new Retransmission();
		history.push(1, new Uint8Array(10), 0, 10, 7, 0);
		history.push(4, new Uint8Array(10), 0, 10, 7, 0);
		expect([1, 2, 3, 4].map((sequence) => history.take(found(), sequence, 0, 1e6, 20))).toEqual([
			true,
			false,
			false,
			true,
		]);
		history.push(30_000, new Uint8Array(10), 0, 10, 7, 0);
		expect(history.heldPackets).toBe(1);
	});

	it("gives each packet as it was kept, or none, whatever came before", () => {
		const step = fc.record({
			gap: fc.integer({ min: 1, max: 90 }),
			ms: fc.integer({ min: 0, max: 90 }),
			length: fc.integer({ min: 12, max: 60_000 }),
		});
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: 0xffff }),
				fc.array(step, { minLength: 1, maxLength: 300 }),
				(start, steps) => {
					const history = new Retransmission();
					const kept = new Map<number, { bytes: Uint8Array; ms: number }>();
					let [sequence, ms, bytes] = [start, 0, 0];
					for (const one of steps) {
						sequence = (sequence + one.gap) & 0xffff;
						ms += one.ms;
						bytes += one.length;
						const packet = new Uint8Array(1);
						kept.set(sequence, { bytes: packet, ms });
						history.push(sequence, packet, 0, one.length, 7, ms);
					}
					expect(history.heldBytes).toBeLessThanOrEqual(Math.min(bytes, HISTORY_BYTES + 60_000));
					const last = found();
					// The newest is always there.
					expect(history.take(last, sequence, 0, 1e9, ms + 20)).toBe(true);
					expect(last.bytes).toBe(kept.get(sequence)?.bytes);
					for (let i = 0; i < 3_000; i++) {
						const one = found();
						const number = (sequence - i) & 0xffff;
						if (history.take(one, number, 0, 1e9, ms + 10_000 + i * 1_000))
							expect(one.bytes).toBe(kept.get(number)?.bytes);
					}
				},
			),
			{ numRuns: 50 },
		);
	});
});
