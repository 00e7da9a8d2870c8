import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { findVop, isIntraVop, mpeg4ConfigOf } from "./mpeg4-video.ts";
import { hasSequenceHeader, readMpeg12Picture } from "./mpeg12-video.ts";
import { findStartCode, startCodeAt } from "./start-code.ts";

describe("start codes", () => {
	test("are found wherever they stand, and only when they are whole", () => {
		for (let before = 0; before < 8; before++) {
			for (const filler of [0x00, 0x01, 0x02, 0xff]) {
				const bytes = Uint8Array.from([...new Uint8Array(before).fill(filler), 0, 0, 1, 0xb6, 9]);
				expect(findStartCode(bytes, 0, bytes.length)).toBe(before);
				expect(findStartCode(bytes, 0, before + 3)).toBe(before + 3);
				expect(findStartCode(bytes, before + 1, bytes.length)).toBe(bytes.length);
				expect(startCodeAt(bytes, before, bytes.length)).toBe(0xb6);
				expect(startCodeAt(bytes, before, before + 3)).toBe(-1);
			}
		}
	});
});

describe("MPEG-4 Video", () => {
	const config = "000001b001 000001b509 00000100 0000012000c4";

	test("tells its configuration from what follows it", () => {
		for (const rest of ["000001b610", "000001b3001000 000001b610", ""]) {
			expect(mpeg4ConfigOf(bytesOfHex(config + rest))).toEqual(bytesOfHex(config));
		}
		for (const frame of ["000001b610", "000001b001 000001b610", "000001b610 0000012000", ""]) {
			expect(mpeg4ConfigOf(bytesOfHex(frame))).toBeNull();
		}
		const userData = `000001b2${"55".repeat(4_000)}`;
		expect(mpeg4ConfigOf(bytesOfHex(`${config}${userData}000001b610`))).toBeNull();
	});

	test("tells an I-VOP from others", () => {
		for (const [hex, intra] of [
			["3f", true],
			["40", false],
			["80", false],
			["c0", false],
			["", false],
		] as const) {
			const bytes = bytesOfHex(`${config}000001b6${hex}`);
			expect(isIntraVop(bytes, findVop(bytes, 0, bytes.length), bytes.length)).toBe(intra);
		}
	});
});

describe("MPEG-1/2 Video", () => {
	test("picture headers are read, unless they are cut off", () => {
		const b = bytesOfHex("0000010001dffffb90");
		const expected = { temporalReference: 7, codingType: 3, forward: 7, backward: 2 };
		expect(readMpeg12Picture(b, 0, b.length)).toEqual(expected);
		for (let end = 0; end < b.length; end++) expect(readMpeg12Picture(b, 0, end)).toBeNull();
	});

	test("a sequence header counts only before the picture", () => {
		const sequence = "000001b314";
		const picture = "00000100014ffff8";
		const has = (hex: string) => hasSequenceHeader(bytesOfHex(hex), 0, hex.length / 2);
		expect([has(sequence), has(sequence + picture), has(`000001b2${sequence}`)]).toEqual([true, true, true]);
		expect([has(picture), has(picture + sequence), has(`00000101${sequence}`), has("")]).not.toContain(true);
	});
});
