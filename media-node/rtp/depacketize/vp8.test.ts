import { expect, test } from "vitest";
import { startsWith, unitLines } from "../../../test/support/rtp-lines.ts";
import type { Codec } from "../../codecs/codec.ts";

const VP8: Codec = { name: "VP8" };

// Key frames begin with an even byte, others with an odd one: RFC 6386 §9.1.
test.each<[string, string[], string[], number]>([
	["a key frame in one packet", ["1 10 m 10 50aabb"], ["10*: 50aabb"], 0],
	["another frame in one packet", ["1 10 m 10 51aabb"], ["10: 51aabb"], 0],
	["a frame in three", ["1 10 10 50aa", "2 10 00 bb", "3 10 m 00 cc"], ["10*: 50aabbcc"], 0],
	["partitions", ["1 10 10 51aa", "2 10 11 bb", "3 10 m 12 cc"], ["10: 51aabbcc"], 0],
	["a picture ID of 7 bits (RFC 7741 §4.6.2)", ["1 10 m 9080 11 50aa"], ["10*: 50aa"], 0],
	["a picture ID of 15 bits (RFC 7741 §4.6.5)", ["1 10 m 90808011 50aa"], ["10*: 50aa"], 0],
	["all extensions", ["1 10 m 90f0 9234 05 41 51aa"], ["10: 51aa"], 0],
	["a layer index alone", ["1 10 m 9040 05 51aa"], ["10: 51aa"], 0],
	["a key index alone", ["1 10 m 9010 05 51aa"], ["10: 51aa"], 0],
	["no marker", ["1 10 10 50aa", "2 20 10 51bb", "3 30 m 10 51cc"], ["10*: 50aa", "20: 51bb", "30: 51cc"], 0],
	["sequence numbers over the wrap", ["65535 10 10 51aa", "0 10 m 00 bb"], ["10: 51aabb"], 0],
	["a packet without payload", ["1 10 10 51aa", "2 10", "3 10 m 00 bb"], ["10: 51aabb"], 0],

	["a gap within a frame", ["1 10 10 51aa", "3 10 m 00 cc", "4 20 m 10 51dd"], ["20: 51dd"], 1],
	["a gap between frames", ["1 10 m 10 51aa", "5 20 m 10 51dd"], ["10: 51aa", "20: 51dd"], 0],
	["a missing beginning", ["1 10 m 10 51aa", "3 20 m 00 bb", "4 30 m 10 51cc"], ["10: 51aa", "30: 51cc"], 1],
	["a missing first partition", ["1 10 m 10 51aa", "3 20 m 11 bb"], ["10: 51aa"], 1],
	["a missing end", ["1 10 10 51aa", "3 20 m 10 51bb", "4 30 m 10 51cc"], ["20: 51bb", "30: 51cc"], 1],
	["a descriptor without a frame", ["1 10 m 10", "2 20 m 10 51cc"], ["20: 51cc"], 1],
	["a descriptor that is cut off", ["1 10 m 9080", "2 20 m 90", "3 30 m 90ff80", "4 40 m 10 51cc"], ["40: 51cc"], 3],
])("of %s, VP8 gives whole frames", (_, lines, units, dropped) => {
	expect(unitLines(VP8, lines)).toEqual({ units, dropped });
});

test("a reader can begin with the first packet of a key frame", () => {
	expect(["1050", "10fe", "90801150", "90808011 50"].map((payload) => startsWith(VP8, payload))).not.toContain(false);
	const others = ["1051", "0050", "1150", "9080", "90801151", "10", "90", ""];
	expect(others.map((payload) => startsWith(VP8, payload))).not.toContain(true);
});
