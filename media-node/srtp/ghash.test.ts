import { beforeEach, describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { Ghash, workBytes, xorBlocks } from "./ghash.ts";

beforeEach(() => {
	workBytes.fill(0);
});

describe("Ghash", () => {
	/** Test cases 2 and 3 of McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B. */
	it.each([
		[
			"66e94bd4ef8a2c3b884cfa59ca342b2e",
			"0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080",
			"f38cbb1ad69223dcc3457ae5b6b0f885",
		],
		[
			"b83b533708bf535d0aa6e52980d53b78",
			`42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05
				1ba30b396a0aac973d58e091473f598500000000000000000000000000000200`,
			"7f1b32b81b820d02614f8895ac1d4eac",
		],
	])("under H %s is that of the proposal of the mode", (h, blocks, expected) => {
		const bytes = bytesOfHex(blocks);
		workBytes.set(bytes);
		const tag = new Uint8Array(16);
		new Ghash(bytesOfHex(h)).addTo(tag, bytes.length);
		expect(tag).toEqual(bytesOfHex(expected));
	});

	it("is added to the tag, whichever key was used before", () => {
		const [one, two] = [new Ghash(new Uint8Array(16).fill(1)), new Ghash(new Uint8Array(16).fill(2))];
		workBytes.fill(3, 0, 32);
		const tagOf = (key: Ghash) => {
			const tag = new Uint8Array(16);
			key.addTo(tag, 32);
			return tag;
		};
		const [first, second] = [tagOf(one), tagOf(two)];
		expect(first).not.toEqual(second);
		const tag = first.slice();
		one.addTo(tag, 32);
		expect(tag).toEqual(new Uint8Array(16));
	});
});

describe("xorBlocks", () => {
	it("changes the blocks that it is told, and no others", () => {
		workBytes.fill(0xf0, 0, 64);
		workBytes.fill(0x3c, 160, 240);
		xorBlocks(16, 48, 176);
		expect(workBytes.slice(0, 64)).toEqual(
			Uint8Array.from({ length: 64 }, (_, i) => (i >= 16 && i < 48 ? 0xf0 ^ 0x3c : 0xf0)),
		);
		xorBlocks(16, 16, 176);
		expect(workBytes[16]).toBe(0xf0 ^ 0x3c);
	});
});
