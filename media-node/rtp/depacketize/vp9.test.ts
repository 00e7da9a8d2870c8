import { expect, test } from "vitest";
import { startsWith, unitLines } from "../../../test/support/rtp-lines.ts";
import type { Codec } from "../../codecs/codec.ts";

const VP9: Codec = { name: "VP9" };

// Frames of profile 0 begin with 82 (key), 86 (not) or 88 (an older one is shown).
test.each<[string, string[], string[], number]>([
	["a key frame in one packet", ["1 10 m 0c 8249"], ["10*: 8249"], 0],
	["another frame", ["1 10 m 4c 8601"], ["10: 8601"], 0],
	["a frame of a sender that never sets P", ["1 10 m 0c 8601"], ["10: 8601"], 0],
	["a frame that shows an older one", ["1 10 m 0c 88"], ["10: 88"], 0],
	["key frames of profiles 1 and 3", ["1 10 m 0c a249", "2 20 m 0c b149"], ["10*: a249", "20*: b149"], 0],
	["another frame of profile 3", ["1 10 m 0c b301"], ["10: b301"], 0],
	["a frame in three packets", ["1 10 08 82aa", "2 10 00 bb", "3 10 m 04 cc"], ["10*: 82aabbcc"], 0],
	["a picture ID of 7 bits", ["1 10 m 8c 05 8249"], ["10*: 8249"], 0],
	["a picture ID of 15 bits", ["1 10 m 8c 8005 8249"], ["10*: 8249"], 0],
	["non-flexible mode with layers", ["1 10 m ac 8005 10 07 8249"], ["10*: 8249"], 0],
	["flexible mode with layers", ["1 10 m bc 8005 10 8249"], ["10*: 8249"], 0],
	["flexible mode with one reference", ["1 10 m dc 05 02 8601"], ["10: 8601"], 0],
	["flexible mode with three references", ["1 10 m fc 05 10 03 05 06 8601"], ["10: 8601"], 0],
	["a scalability structure with sizes", ["1 10 m 8e 05 30 01400 0f0 02800 1e0 8249"], ["10*: 8249"], 0],
	["one with a group of pictures", ["1 10 m 8e 05 08 02 04 01 48 01 02 8249"], ["10*: 8249"], 0],
	["one with both", ["1 10 m 8e 05 18 014000f0 01 04 01 8249"], ["10*: 8249"], 0],
	["spatial layers", ["1 10 ac 05 00 07 82aa", "2 10 m ac 05 03 07 82bb"], ["10*: 82aa82bb"], 0],

	["a gap within a frame", ["1 10 08 82aa", "3 10 m 04 cc", "4 20 m 0c 8249"], ["20*: 8249"], 1],
	["a missing beginning", ["1 10 m 0c 8249", "3 20 m 04 cc", "4 30 m 4c 8601"], ["10*: 8249", "30: 8601"], 1],
	["a missing lower layer", ["1 10 m ac 05 00 07 82aa", "3 20 m ac 06 03 07 86bb"], ["10*: 82aa"], 1],
	["too many references", ["1 10 m dc 05 03 03 03 02 8601"], [], 1],
	["a descriptor without a frame", ["1 10 m 0c"], [], 1],
	[
		"descriptors that are cut off",
		["1 10 m 8c", "2 20 m ac 05 00", "3 30 m dc 05", "4 40 m 0e", "5 50 m 0e 10 01"],
		[],
		5,
	],
	["a group of pictures that is cut off", ["1 10 m 0e 08", "2 20 m 0e 08 02 04 01", "3 30 m 0e 08 01 0c 01"], [], 3],
])("of %s, VP9 gives whole pictures", (_, lines, units, dropped) => {
	expect(unitLines(VP9, lines)).toEqual({ units, dropped });
});

test("a reader can begin with the first packet of a key frame", () => {
	const starts = ["0c82", "0882", "8c058249", "ac050007 8249", "8e051014000f0 082"];
	expect(starts.map((payload) => startsWith(VP9, payload))).not.toContain(false);
	const others = ["4c82", "0482", "0c86", "0c", "8c05", "ac050307 8249", "8c", "0e10", ""];
	expect(others.map((payload) => startsWith(VP9, payload))).not.toContain(true);
});
