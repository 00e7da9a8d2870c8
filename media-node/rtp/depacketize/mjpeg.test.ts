import { expect, test } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { startsWith, unitLines } from "../../../test/support/rtp-lines.ts";
import type { Codec } from "../../codecs/codec.ts";
import { type JpegPicture, parseJpeg } from "../../codecs/jpeg.ts";
import { quantizationTables } from "../../codecs/jpeg-tables.ts";

const MJPEG: Codec = { name: "M-JPEG" };
const LUMA = "11".repeat(64);
const CHROMA = "22".repeat(64);
/** 320x240, 4:2:0, quantization tables included. */
const FIRST = `00 000000 01 ff 28 1e 00000080 ${LUMA}${CHROMA}`;
const NEXT = "00 000002 01 ff 28 1e";

/** The pictures of packets, as what is in them. */
function pictures(...lines: string[]): { pictures: (JpegPicture | null)[]; dropped: number } {
	const { units, dropped } = unitLines(MJPEG, lines);
	return { pictures: units.map((unit) => parseJpeg(bytesOfHex(unit.split(" ")[1]!))), dropped };
}

const PICTURE: JpegPicture = {
	width: 320,
	height: 240,
	sampling: "4:2:0",
	luma: bytesOfHex(LUMA),
	chroma: bytesOfHex(CHROMA),
	restartInterval: 0,
	scan: bytesOfHex("aabbcc"),
};

test("fragments become a whole picture, with the tables of the first of them", () => {
	expect(pictures(`1 10 ${FIRST} aabb`, `2 10 m ${NEXT} cc`)).toEqual({ pictures: [PICTURE], dropped: 0 });
	expect(pictures(`1 10 m ${FIRST} aabbcc`)).toEqual({ pictures: [PICTURE], dropped: 0 });
});

test("a picture begins with SOI and JFIF, and ends with one EOI, whether or not that was sent", () => {
	for (const end of ["", "ffd9"]) {
		const { units } = unitLines(MJPEG, [`1 10 m ${FIRST} aabbcc ${end}`]);
		expect(units[0]).toMatch(/^10\*: ffd8ffe000104a46494600/);
		expect(units[0]).toMatch(/aabbccffd9$/);
	}
	const split = unitLines(MJPEG, [`1 10 ${FIRST} aaff`, `2 10 m ${NEXT} d9`]);
	expect(split.units[0]).toMatch(/aaffd9$/);
});

test("a picture of type 0 is 4:2:2, and from type 64 on it has restart markers", () => {
	const of = (type: string, restart: string) =>
		pictures(`1 10 m 00 000000 ${type} ff 28 1e ${restart} 00000080 ${LUMA}${CHROMA} aabbcc`).pictures;
	expect(of("00", "")).toEqual([{ ...PICTURE, sampling: "4:2:2" }]);
	expect(of("41", "0014ffff")).toEqual([{ ...PICTURE, restartInterval: 20 }]);
	expect(of("40", "0014ffff")).toEqual([{ ...PICTURE, sampling: "4:2:2", restartInterval: 20 }]);
});

test("a quality below 100 stands for scaled tables", () => {
	// ITU-T T.81 tables K.1 and K.2 themselves are quality 50: RFC 2435 appendix A.
	const [picture] = pictures("1 10 m 00 000000 01 32 28 1e aabbcc").pictures;
	expect([...picture!.luma.subarray(0, 8)]).toEqual([16, 11, 12, 14, 12, 10, 16, 14]);
	expect([...picture!.chroma.subarray(0, 8)]).toEqual([17, 18, 18, 24, 21, 24, 47, 26]);
	expect(picture).toEqual({ ...PICTURE, ...quantizationTables(50) });
	expect(quantizationTables(99).luma[0]).toBe(1);
	expect(quantizationTables(1).luma[0]).toBe(255);
	expect(quantizationTables(25).luma[0]).toBe(32);
});

test("tables of a quality from 128 to 254 are remembered, those of 255 are not", () => {
	const first = (q: string) => `1 10 m 00 000000 01 ${q} 28 1e 00000080 ${LUMA}${CHROMA} aabbcc`;
	const second = (q: string) => `2 20 m 00 000000 01 ${q} 28 1e 00000000 aabbcc`;
	expect(pictures(first("80"), second("80"))).toEqual({ pictures: [PICTURE, PICTURE], dropped: 0 });
	expect(pictures(first("80"), second("81"))).toEqual({ pictures: [PICTURE], dropped: 1 });
	expect(pictures(first("ff"), second("ff"))).toEqual({ pictures: [PICTURE], dropped: 1 });
});

test("one table is for all components, and tables may have 16 bits a value", () => {
	const [one] = pictures(`1 10 m 00 000000 01 ff 28 1e 00000040 ${LUMA} aabbcc`).pictures;
	expect(one).toEqual({ ...PICTURE, chroma: PICTURE.luma });
	const [wide] = pictures(`1 10 m 00 000000 01 ff 28 1e 000100c0 ${LUMA}${LUMA}${CHROMA} aabbcc`).pictures;
	expect(wide).toEqual({ ...PICTURE, luma: bytesOfHex(LUMA + LUMA) });
});

test("a picture of which something is missing or malformed is dropped", () => {
	const whole = `8 80 m ${FIRST} aabbcc`;
	const bad: string[][] = [
		[`1 10 ${FIRST} aabb`, `3 10 m ${NEXT} cc`],
		[`1 10 m ${NEXT} cc`],
		[`1 10 ${FIRST} aa`, `2 10 m ${NEXT} cc`],
		["1 10 m 00000000"],
		["1 10 m 00 000000 41 ff 28 1e 0014"],
		["1 10 m 00 000000 01 ff 28 1e 0000"],
		[`1 10 m 00 000000 01 ff 28 1e 00000080 ${LUMA}`],
		[`1 10 m 00 000000 01 ff 28 1e 0000003f ${LUMA} aa`],
		["1 10 m 00 000000 02 32 28 1e aa"],
		["1 10 m 00 000000 81 32 28 1e aa"],
		["1 10 m 00 000000 01 00 28 1e aa"],
		["1 10 m 00 000000 01 64 28 1e aa"],
		["1 10 m 00 000000 01 32 00 1e aa"],
		["1 10 m 00 000000 01 32 28 00 aa"],
		[`1 10 m ${FIRST}`],
	];
	for (const lines of bad) expect(pictures(...lines, whole)).toEqual({ pictures: [PICTURE], dropped: 1 });
});

test("a reader can begin with the first packet of a picture", () => {
	expect(startsWith(MJPEG, `${FIRST} aa`)).toBe(true);
	for (const payload of [`${NEXT} aa`, "00000000", ""]) expect(startsWith(MJPEG, payload)).toBe(false);
});
