import { describe, expect, it } from "vitest";
import { equalBytes } from "./constant-time.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

describe("comparing bytes", () => {
	it("says yes to the same bytes, wherever they are", () => {
		expect(equalBytes(bytes(), bytes())).toBe(true);
		expect(equalBytes(bytes(0), bytes(0))).toBe(true);
		expect(equalBytes(bytes(1, 2, 3), bytes(0, 1, 2, 3, 4).subarray(1, 4))).toBe(true);
	});

	it("sees a difference of one bit, in every place", () => {
		const a = Uint8Array.from({ length: 40 }, (_, i) => i * 7);
		for (let bit = 0; bit < a.length * 8; bit++) {
			const b = a.slice();
			b[bit >> 3] = (b[bit >> 3] as number) ^ (1 << (bit & 7));
			expect(equalBytes(a, b), `bit ${bit}`).toBe(false);
			expect(equalBytes(b, a), `bit ${bit}`).toBe(false);
		}
	});

	it("does not let two differences make up for each other", () => {
		expect(equalBytes(bytes(1, 2), bytes(2, 1))).toBe(false);
		expect(equalBytes(bytes(255, 255), bytes(0, 0))).toBe(false);
	});

	it("says no to a part, to a repetition, and to nothing", () => {
		const a = bytes(7, 7, 7, 7);
		for (const b of [bytes(), bytes(7), bytes(7, 7), bytes(7, 7, 7, 7, 7), bytes(7, 7, 7, 7, 7, 7, 7, 7)]) {
			expect(equalBytes(a, b)).toBe(false);
			expect(equalBytes(b, a)).toBe(false);
		}
		expect(equalBytes(bytes(0), bytes())).toBe(false);
		expect(equalBytes(bytes(), bytes(0))).toBe(false);
	});

	it("says no to lengths that differ by 256, also when every byte is zero", () => {
		expect(equalBytes(new Uint8Array(256), bytes())).toBe(false);
		expect(equalBytes(bytes(), new Uint8Array(256))).toBe(false);
		expect(equalBytes(new Uint8Array(512), new Uint8Array(256))).toBe(false);
	});
});
