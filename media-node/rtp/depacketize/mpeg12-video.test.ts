import { expect, test } from "vitest";
import { startsWith, unitLines } from "../../../test/support/rtp-lines.ts";
import type { Codec } from "../../codecs/codec.ts";

const MPEG12: Codec = { name: "MPEG-1/2 Video" };
const SEQUENCE = "000001b314";
const GROUP = "000001b80008";
const PICTURE = "00000100000ffff8";
const SLICE = "0000010113";
/** A header of an I picture: its slices are whole. */
const H = "00001900";

test.each<[string, string[], string[], number]>([
	["a picture", [`1 10 m ${H}${PICTURE}${SLICE}`], [`10: ${PICTURE}${SLICE}`], 0],
	[
		"a picture behind a sequence header",
		[`1 10 m ${H}${SEQUENCE}${PICTURE}${SLICE}`],
		[`10*: ${SEQUENCE}${PICTURE}${SLICE}`],
		0,
	],
	["a picture behind a group header", [`1 10 m ${H}${GROUP}${PICTURE}${SLICE}`], [`10: ${GROUP}${PICTURE}${SLICE}`], 0],
	["slices in packets", [`1 10 ${H}${PICTURE}${SLICE}`, `2 10 m ${H}${SLICE}`], [`10: ${PICTURE}${SLICE}${SLICE}`], 0],
	[
		"headers in a packet",
		[`1 10 ${H}${SEQUENCE}`, `2 10 m ${H}${PICTURE}${SLICE}`],
		[`10*: ${SEQUENCE}${PICTURE}${SLICE}`],
		0,
	],
	[
		"headers with a marker of their own",
		[`1 9 m ${H}${SEQUENCE}`, `2 10 m ${H}${PICTURE}${SLICE}`],
		[`10*: ${SEQUENCE}${PICTURE}${SLICE}`],
		0,
	],
	["the extension for MPEG-2", [`1 10 m 04001900 0f0f0000${PICTURE}${SLICE}`], [`10: ${PICTURE}${SLICE}`], 0],
	[
		"a composite display extension",
		[`1 10 m 04001900 0f0f0001 00012345${PICTURE}${SLICE}`],
		[`10: ${PICTURE}${SLICE}`],
		0,
	],
	["more extensions", [`1 10 m 04001900 4f0f0000 02112233 44556677${PICTURE}${SLICE}`], [`10: ${PICTURE}${SLICE}`], 0],
	[
		"no marker",
		[`1 10 ${H}${PICTURE}${SLICE}`, `2 20 m ${H}${PICTURE}${SLICE}`],
		[`10: ${PICTURE}${SLICE}`, `20: ${PICTURE}${SLICE}`],
		0,
	],

	["a gap within a picture", [`1 10 ${H}${PICTURE}${SLICE}`, `3 10 m ${H}${SLICE}`], [], 1],
	["a missing beginning", [`1 10 m ${H}${PICTURE}${SLICE}`, `3 20 m ${H}${SLICE}`], [`10: ${PICTURE}${SLICE}`], 1],
	["a missing header", ["1 10 m 0000", "2 20 m 00001900"], [], 2],
	["extensions that are cut off", ["1 10 m 0400190000", "2 20 m 040019000f0f0001", "3 30 m 040019004f0f0000ff"], [], 3],
])("of %s, MPEG-1/2 Video gives whole pictures", (_, lines, units, dropped) => {
	expect(unitLines(MPEG12, lines)).toEqual({ units, dropped });
});

test("a reader can begin with a sequence header", () => {
	const starts = [`${H}${SEQUENCE}`, `04001900 0f0f0000 ${SEQUENCE}${PICTURE}`];
	expect(starts.map((payload) => startsWith(MPEG12, payload))).not.toContain(false);
	const others = [`${H}${PICTURE}`, `${H}${GROUP}${PICTURE}`, `${H}${SLICE}`, H, "0000", `${H}000001`, ""];
	expect(others.map((payload) => startsWith(MPEG12, payload))).not.toContain(true);
});
