import { expect, test } from "vitest";
import { startsWith, unitLines } from "../../../test/support/rtp-lines.ts";
import type { Codec } from "../../codecs/codec.ts";

const AV1: Codec = { name: "AV1" };

// OBUs without size: 08 a sequence header, 30 a frame (of which 10 begins a shown key frame, 30 an inter frame), 10 a
// temporal delimiter, 28 metadata, 40 a tile list. The aggregation header is the first byte.
test.each<[string, string[], string[], number]>([
	["two counted elements", ["1 10 m 28 02 0800 3010aa"], ["10*: 0800 3010aa"], 0],
	["elements with a length each", ["1 10 m 08 02 0800 03 3010aa"], ["10*: 0800 3010aa"], 0],
	["one element", ["1 9 m 28 02 0800 3010", "2 10 m 10 3030aa"], ["9*: 0800 3010", "10: 3030aa"], 0],
	["a length in two bytes", ["1 10 m 28 8200 0800 3010aa"], ["10*: 0800 3010aa"], 0],
	["a fragmented frame", ["1 10 68 02 0800 3010", "2 10 d0 aa", "3 10 m 90 bb"], ["10*: 0800 3010aabb"], 0],
	["a fragment, then more", ["1 10 68 02 0800 3010", "2 10 m a0 01 aa 3030"], ["10*: 0800 3010aa 3030"], 0],
	["an OBU for each packet", ["1 10 18 0800", "2 10 10 28aa", "3 10 m 10 3010"], ["10*: 0800 28aa 3010"], 0],
	["a temporal delimiter", ["1 10 m 38 01 10 02 0800 3010"], ["10*: 0800 3010"], 0],
	["a tile list", ["1 10 m 38 02 4000 02 0800 3010"], ["10*: 0800 3010"], 0],
	["OBUs with a size field", ["1 10 m 28 03 0a0100 3202 10aa"], ["10*: 0800 3010aa"], 0],
	["an extension header and a size field", ["1 10 m 28 02 0800 3620 02 10aa"], ["10*: 0800 342010aa"], 0],
	["a sequence header with a marker of its own", ["1 9 m 18 0800", "2 10 m 10 3010"], ["10*: 0800 3010"], 0],
	["a sequence header before another frame", ["1 10 m 28 02 0800 3030"], ["10: 0800 3030"], 0],
	["a key frame that is not shown", ["1 10 m 28 02 0800 3000"], ["10: 0800 3000"], 0],
	["an older frame that is shown again", ["1 10 m 28 02 0800 1890"], ["10: 0800 1890"], 0],
	["a reduced still picture", ["1 10 m 28 02 0818 30e0"], ["10*: 0818 30e0"], 0],
	["no marker", ["1 10 28 02 0800 3010", "2 20 m 10 3030"], ["10*: 0800 3010", "20: 3030"], 0],
	["a sender that never sets N", ["1 10 m 20 02 0800 3010"], ["10*: 0800 3010"], 0],

	["a gap within a unit", ["1 10 68 02 0800 3010", "3 10 m 90 bb", "4 20 m 28 02 0800 3010"], ["20*: 0800 3010"], 1],
	[
		"a gap, after which only a sequence surely begins a unit",
		["1 10 m 28 02 0800 3010", "3 20 m 10 3030", "4 30 m 10 3030"],
		["10*: 0800 3010", "30: 3030"],
		1,
	],
	["a fragment without beginning", ["1 10 m 90 aa", "2 20 m 28 02 0800 3010"], ["20*: 0800 3010"], 1],
	["a fragment without end", ["1 10 m 68 02 0800 3010", "2 20 m 28 02 0800 3010"], ["20*: 0800 3010"], 1],
	["another OBU where a fragment should go on", ["1 10 68 02 0800 3010", "2 10 m 10 3030"], [], 1],
	["a length beyond the packet", ["1 10 m 28 05 0800 3010"], [], 1],
	["a length that never ends", ["1 10 m 08 ffffffffffffffffffff"], [], 1],
	["a size field beyond the OBU", ["1 10 m 18 0a7f00"], [], 1],
	["fewer elements than counted", ["1 10 m 28 04 0800 3010"], [], 1],
	["a forbidden bit", ["1 10 m 28 02 0800 b010"], [], 1],
	["an aggregation header alone", ["1 10 m 08"], [], 1],
])("of %s, AV1 gives OBUs without size", (_, lines, units, dropped) => {
	expect(unitLines(AV1, lines)).toEqual({ units, dropped });
});

test("a reader can begin with the packet that begins a coded video sequence", () => {
	const starts = ["18 0800", "28 02 0800 3010", "20 02 0800 3010", "20 01 10 0800", "00 02 0800", "68 02 0800 30"];
	expect(starts.map((payload) => startsWith(AV1, payload))).not.toContain(false);
	const others = ["10 3010", "90 0800", "20 02 3010 0800", "20 ff 0800", "00 05", "10", ""];
	expect(others.map((payload) => startsWith(AV1, payload))).not.toContain(true);
});
