import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameBuffer } from "./frame-buffer.ts";

describe("FrameBuffer", () => {
	test("gives back what came in, whatever the sizes of reads and frames", () => {
		const sizes = fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 30 });
		fc.assert(
			fc.property(sizes, sizes, (reads, frames) => {
				const buffer = new FrameBuffer(1_000_000);
				let written = 0;
				let read = 0;
				let frame = 0;
				for (const size of reads) {
					buffer.append(Uint8Array.from({ length: size }, () => written++ % 251));
					while (frame < frames.length && buffer.length >= frames[frame]!) {
						const view = buffer.view(frames[frame]!);
						expect(view.every((byte) => byte === read++ % 251)).toBe(true);
						expect(view.byteOffset).toBe(buffer.bytes.byteOffset + buffer.offset);
						buffer.consume(frames[frame]!);
						frame++;
					}
				}
				expect(buffer.length).toBe(written - read);
			}),
			{ numRuns: 50 },
		);
	});

	test("holds exactly its ceiling, and throws bytes.limit above it", () => {
		const buffer = new FrameBuffer(10_000);
		buffer.append(new Uint8Array(6_000));
		buffer.append(new Uint8Array(4_000));
		expect(buffer.length).toBe(10_000);
		expect(() => buffer.append(new Uint8Array(1))).toThrow(expect.objectContaining({ code: "bytes.limit" }));
		buffer.consume(1);
		buffer.append(Uint8Array.of(9));
		expect(buffer.view(10_000)[9_999]).toBe(9);
	});

	test("gives the memory of a large message back", () => {
		const buffer = new FrameBuffer(4_000_000);
		buffer.append(new Uint8Array(2_000_000));
		buffer.consume(2_000_000);
		buffer.append(new Uint8Array(10));
		expect(buffer.bytes.length).toBeLessThan(300_000);
	});

	test("does not grow while frames are consumed as they come", () => {
		const buffer = new FrameBuffer(4_000_000);
		for (let i = 0; i < 10_000; i++) {
			buffer.append(new Uint8Array(1_000));
			if (i > 0) buffer.consume(1_000);
		}
		expect(buffer.bytes.length).toBeLessThanOrEqual(4_096);
	});

	test("views and consumes no more than waits", () => {
		const buffer = new FrameBuffer(100);
		buffer.append(new Uint8Array(10));
		expect(() => buffer.view(11)).toThrow(RangeError);
		expect(() => buffer.consume(11)).toThrow(RangeError);
	});
});
