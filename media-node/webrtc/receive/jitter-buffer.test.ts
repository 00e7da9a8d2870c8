import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { u16 } from "../../bytes/big-endian.ts";
import { JitterBuffer, MAX_WAITING_BYTES } from "./jitter-buffer.ts";

function packet(sequence: number, size = 12): Uint8Array {
	const bytes = new Uint8Array(size);
	bytes[0] = 0x80;
	bytes[2] = sequence >> 8;
	bytes[3] = sequence;
	return bytes;
}

function bufferOf() {
	const got: number[] = [];
	const lost: [number, number][] = [];
	const buffer = new JitterBuffer({
		deliver: (bytes, offset) => void got.push(u16(bytes, offset + 2)),
		onLost: (sequence, count) => void lost.push([sequence, count]),
	});
	const push = (sequence: number, nowMs = 0) => buffer.push(packet(sequence), 0, 12, nowMs);
	return { buffer, push, got, lost };
}

describe("JitterBuffer", () => {
	it("gives what is in order at once, from where it is", () => {
		const bytes = packet(7);
		const seen: Uint8Array[] = [];
		const buffer = new JitterBuffer({ deliver: (given) => void seen.push(given), onLost: () => {} });
		buffer.push(bytes, 0, 12, 0);
		expect(seen[0]).toBe(bytes);
	});

	it("keeps a copy of what waits, also of a buffer whose slices are views", () => {
		const seen: number[] = [];
		const buffer = new JitterBuffer({
			deliver: (given, offset) => void seen.push(u16(given, offset + 2)),
			onLost: () => {},
		});
		const bytes = Buffer.from(packet(1));
		for (const sequence of [1, 3, 2]) {
			bytes.writeUInt16BE(sequence, 2);
			buffer.push(bytes, 0, 12, 0);
		}
		expect(seen).toEqual([1, 2, 3]);
	});

	it("waits for a missing packet as long as it is told, and not longer", () => {
		const { buffer, push, got, lost } = bufferOf();
		push(65_535, 0);
		push(1, 10);
		push(2, 150);
		buffer.expire(209, 200);
		expect(got).toEqual([65_535]);
		buffer.expire(210, 200);
		expect(got).toEqual([65_535, 1, 2]);
		expect(lost).toEqual([[0, 1]]);
		push(0, 220);
		expect(buffer).toMatchObject({ lost: 1, late: 1, waiting: 0 });
	});

	it("gives up each gap by itself", () => {
		const { buffer, push, got } = bufferOf();
		push(1, 0);
		push(3, 0);
		push(5, 100);
		buffer.expire(200, 200);
		expect(got).toEqual([1, 3]);
		buffer.expire(300, 200);
		expect(got).toEqual([1, 3, 5]);
	});

	it("leaves a packet of far off out, and follows two in a row", () => {
		const { push, got } = bufferOf();
		for (const sequence of [1, 2, 30_000, 3, 50_000, 50_001, 50_002]) push(sequence);
		expect(got).toEqual([1, 2, 3, 50_001, 50_002]);
	});

	it("holds a bounded number of bytes", () => {
		const { buffer, got } = bufferOf();
		const size = 60_000;
		buffer.push(packet(0, size), 0, size, 0);
		for (let i = 2; i < 100; i++) buffer.push(packet(i, size), 0, size, 0);
		expect(buffer.waiting * size).toBeLessThanOrEqual(MAX_WAITING_BYTES);
		expect(got.length).toBeGreaterThan(30);
	});

	it("gives every packet once and in order, however they come, when all come in time", () => {
		const arrivals = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 300 });
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0xffff }), arrivals, (start, delays) => {
				const { buffer, push, got } = bufferOf();
				push((start - 1) & 0xffff);
				const order = delays.map((delay, i) => ({ i, at: i * 5 + delay * 5 })).sort((a, b) => a.at - b.at);
				for (const { i, at } of order) {
					buffer.expire(at, 2_000);
					push((start + i) & 0xffff, at);
					if (i % 7 === 0) push((start + i) & 0xffff, at);
				}
				expect(got).toEqual(Array.from({ length: delays.length + 1 }, (_, i) => (start - 1 + i) & 0xffff));
				expect(buffer.lost).toBe(0);
			}),
		);
	});

	it("gives nothing twice and nothing back in order, whatever comes", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 300 }), (sequences) => {
				const { buffer, push, got, lost } = bufferOf();
				for (const [i, sequence] of sequences.entries()) {
					push(sequence, i * 10);
					buffer.expire(i * 10, 100);
				}
				buffer.expire(1e6, 100);
				expect(got).toEqual([...new Set(got)].sort((a, b) => a - b));
				expect(lost.reduce((sum, [, count]) => sum + count, 0)).toBe(buffer.lost);
				expect(buffer.waiting).toBe(0);
			}),
		);
	});
});
