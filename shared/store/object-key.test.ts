import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys, isKeyPrefix } from "./object-key.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20261121);
const text = fc.string({ unit: "grapheme", maxLength: 8 });

describe("compareKeys", () => {
	it("orders as the bytes of UTF-8 do", () => {
		fc.assert(
			fc.property(text, text, (a, b) => {
				expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it.each([
		["a", "a", 0],
		["a", "ab", -1],
		["～", "🎥", -1],
		["\ue000", "\u{10000}", -1],
		["🎥", "🎦", -1],
		["퟿", "🎥", -1],
	])("orders %j and %j", (a, b, sign) => {
		expect(Math.sign(compareKeys(a, b))).toBe(sign);
		expect(Math.sign(compareKeys(b, a))).toBe(0 - sign);
	});
});

describe("isKeyPrefix", () => {
	it("is true of every beginning of a key", () => {
		const key = "streams/cam~1/..media/init-0.mp4";
		for (let length = 0; length <= key.length; length++) expect(isKeyPrefix(key.slice(0, length))).toBe(true);
		expect(isKeyPrefix("x".repeat(255))).toBe(true);
	});

	it.each(["/", "a//", "a/../", "./", "\0", "a\\", "x".repeat(256), "\ud800"])("is false of %j", (prefix) => {
		expect(isKeyPrefix(prefix)).toBe(false);
	});
});
