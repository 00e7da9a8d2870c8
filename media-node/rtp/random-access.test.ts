import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { CodecName } from "../codecs/codec.ts";
import { startsRandomAccess } from "./random-access.ts";

/** Asks about a payload that stands between others. */
function starts(codec: CodecName, hex: string): boolean {
	const payload = bytesOfHex(hex);
	const bytes = new Uint8Array(payload.length + 9).fill(0x65);
	bytes.set(payload, 4);
	return startsRandomAccess(codec, bytes, 4, payload.length);
}

describe("startsRandomAccess of H.264", () => {
	test.each([
		["an IDR slice", "6588", true],
		["a sequence parameter set", "6742", true],
		["a picture parameter set", "68ce", true],
		["another slice", "4188", false],
		["a recovery point", "060601c480", true],
		["another SEI", "0605018080", false],
		["a delimiter", "0910", false],
		["the first fragment of an IDR slice", "7c8588", true],
		["another fragment of an IDR slice", "7c0588", false],
		["the first fragment of another slice", "5c8188", false],
		["a STAP-A with a parameter set", "78 0002 0910 0002 6742", true],
		["a STAP-A with a recovery point", "78 0002 0910 0005 060601c480", true],
		["a STAP-A with others", "78 0002 0910 0002 4188", false],
		["a STAP-A that is cut before it", "78 0002 0910 0003 6742", false],
		["a STAP-A with an empty NAL unit", "78 0000 0002 6742", false],
		["a byte", "65", false],
		["nothing", "", false],
	])("%s", (_, hex, expected) => {
		expect(starts("H264", hex)).toBe(expected);
	});
});

describe("startsRandomAccess of H.265", () => {
	test.each([
		["an IDR slice", "260180", true],
		["a CRA slice", "2a0180", true],
		["a parameter set", "40010c", true],
		["another slice", "020180", false],
		["the first fragment of an IDR slice", "620193", true],
		["another fragment of an IDR slice", "620113", false],
		["the first fragment of another slice", "620181", false],
		["an AP with a parameter set", "6001 0003 460150 0003 420101", true],
		["an AP with others", "6001 0003 460150 0003 020180", false],
		["an AP that is cut before it", "6001 0003 460150 0004 420101", false],
		["two bytes", "2601", false],
	])("%s", (_, hex, expected) => {
		expect(starts("H265", hex)).toBe(expected);
	});
});

test("every packet of anything else is a place to begin", () => {
	for (const codec of ["MPEG-4 Audio", "Opus", "G711", "Generic"] as const) expect(starts(codec, "00")).toBe(true);
});
