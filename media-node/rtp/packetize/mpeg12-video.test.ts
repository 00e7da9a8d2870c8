import { expect, test } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { payloadLines } from "../../../test/support/rtp-lines.ts";
import { packetizeMpeg12Video } from "./mpeg12-video.ts";

const SEQUENCE = "000001b314";
/** Temporal references 5, 6 and 7; the vectors of the P picture have `forward_f_code` 3, of the B also backward 2. */
const I = "00000100014ffff8";
const P = "000001000197fffb80";
const B = "0000010001dffffb90";
const slice = (row: number, bytes: number) => `000001${row.toString(16).padStart(2, "0")}${"77".repeat(bytes - 4)}`;

const linesOf = (hex: string, max = 64) => payloadLines(packetizeMpeg12Video([bytesOfHex(hex)], max));

test("the header repeats the picture header, and says where a sequence begins", () => {
	const rows = slice(1, 8);
	expect(linesOf(I + rows)).toEqual([`m 00051900${I}${rows}`]);
	expect(linesOf(SEQUENCE + I + rows)).toEqual([`m 00053900${SEQUENCE}${I}${rows}`]);
	expect(linesOf(P + rows)).toEqual([`m 00061a07${P}${rows}`]);
	expect(linesOf(B + rows)).toEqual([`m 00071b27${B}${rows}`]);
});

test("as many whole slices as fit go together", () => {
	const [one, two, three] = [slice(1, 30), slice(2, 20), slice(3, 60)];
	expect(linesOf(I + one + two + three)).toEqual([`00051900${I}${one}${two}`, `m 00051900${three}`]);
});

test("a large slice is cut into fragments of its own", () => {
	const [one, two, three] = [slice(1, 20), slice(2, 130), slice(3, 20)];
	expect(linesOf(I + one + two + three)).toEqual([
		`00051900${I}${one}`,
		`00051100${two.slice(0, 120)}`,
		`00050100${two.slice(120, 240)}`,
		`00050900${two.slice(240)}`,
		`m 00051900${three}`,
	]);
});

test("the second field begins a payload, with its own header", () => {
	expect(linesOf(I + slice(1, 20) + P + slice(1, 20))).toEqual([
		`00051900${I}${slice(1, 20)}`,
		`m 00061a07${P}${slice(1, 20)}`,
	]);
});

test("what is no picture is carried as it is, and nothing gives nothing", () => {
	expect(linesOf("0011")).toEqual(["m 000018000011"]);
	expect(linesOf("00000100")).toEqual(["m 0000180000000100"]);
	expect(linesOf("")).toEqual([]);
});
