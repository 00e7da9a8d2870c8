import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { follows, type PictureNumber, readPictureNumber } from "./picture-number.ts";

function read(codec: string, hex: string): PictureNumber {
	const bytes = bytesOfHex(`ff ${hex}`);
	const picture = { number: 5, mask: 0, begins: true };
	readPictureNumber(picture, codec, bytes, 1, bytes.length - 1);
	return picture;
}

describe("the numbers of pictures", () => {
	it.each([
		["VP8", "90 80 8123 00", { number: 0x123, mask: 0x7fff, begins: true }],
		["VP8", "80 80 7f 00", { number: 0x7f, mask: 0x7f, begins: false }],
		["VP8", "91 80 05 00", { number: 5, mask: 0x7f, begins: false }],
		["VP8", "90 40 05 00", { number: -1, mask: 0x7f, begins: true }],
		["VP8", "10 9d 01 2a", { number: -1, mask: 0x7f, begins: true }],
		["VP9", "88 8123 00", { number: 0x123, mask: 0x7fff, begins: true }],
		["VP9", "84 05 00 00", { number: 5, mask: 0x7f, begins: false }],
		["VP9", "08 05 00 00", { number: -1, mask: 0x7f, begins: true }],
		["H264", "88 8123 00", { number: -1, mask: 0x7f, begins: false }],
	])("are read of %s %s", (codec, hex, picture) => {
		expect(read(codec, hex)).toEqual(picture);
	});

	it.each(["VP8", "VP9"])("are read of no truncation of %s", (codec) => {
		for (const hex of ["", "90", "9080", "908081"]) expect(read(codec, hex).number).toBe(-1);
	});

	it("follow each other, also from the last one to the first", () => {
		const short = (number: number) => ({ number, mask: 0x7f, begins: true });
		expect(follows(short(4), short(5))).toBe(true);
		expect(follows(short(127), short(0))).toBe(true);
		expect(follows(short(4), short(6))).toBe(false);
		expect(follows(short(-1), short(0))).toBe(false);
		expect(follows(short(4), { ...short(5), mask: 0x7fff })).toBe(false);
	});
});
