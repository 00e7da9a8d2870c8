import { expect, test } from "vitest";
import { startsWith, unitLines } from "../../../test/support/rtp-lines.ts";
import type { Codec } from "../../codecs/codec.ts";

const MPEG4: Codec = { name: "MPEG-4 Video", config: null };
const CONFIG = "000001b001 000001b509 00000100 0000012000c4";
const I = "000001b610";
const P = "000001b650";

const bare = (text: string) => text.replaceAll(" ", "");

test.each<[string, string[], string[], number]>([
	["an I-VOP", [`1 10 m ${I}`], [`10*: ${I}`], 0],
	["a P-VOP", [`1 10 m ${P}`], [`10: ${P}`], 0],
	["a VOP in three packets", [`1 10 ${I}`, "2 10 aa", "3 10 m bb"], [`10*: ${I}aabb`], 0],
	["headers before a VOP", [`1 10 m ${CONFIG} ${I}`], [`10*: ${bare(CONFIG)}${I}`], 0],
	["headers before a P-VOP", [`1 10 m ${CONFIG} ${P}`], [`10: ${bare(CONFIG)}${P}`], 0],
	["a group of VOPs", [`1 10 m 000001b3001000 ${I}`], [`10*: 000001b3001000${I}`], 0],
	["headers with a marker of their own", [`1 9 m ${CONFIG}`, `2 10 m ${I}`], [`10*: ${bare(CONFIG)}${I}`], 0],
	["no marker", [`1 10 ${I}`, `2 20 ${P}`, `3 30 m ${P}`], [`10*: ${I}`, `20: ${P}`, `30: ${P}`], 0],
	["a VOP that is only its start code", ["1 10 m 000001b6"], ["10: 000001b6"], 0],

	["a gap within a VOP", [`1 10 ${I}`, "3 10 m bb", `4 20 m ${P}`], [`20: ${P}`], 1],
	["a missing beginning", [`1 10 m ${I}`, "3 20 m bbcc", `4 30 m ${P}`], [`10*: ${I}`, `30: ${P}`], 1],
	["a gap behind headers", [`1 9 m ${CONFIG}`, `3 10 m ${I}`], [`10*: ${I}`], 1],
	["no start code", ["1 10 m 000080"], [], 1],
])("of %s, MPEG-4 Video gives whole VOPs", (_, lines, units, dropped) => {
	expect(unitLines(MPEG4, lines)).toEqual({ units, dropped });
});

test("a reader can begin with a configuration or an I-VOP", () => {
	const starts = [I, `${CONFIG}${I}`, CONFIG, "0000012000", `000001b3001000${I}`];
	expect(starts.map((payload) => startsWith(MPEG4, payload))).not.toContain(false);
	const others = [P, `${CONFIG}${P}`, "000001b6", "000001b3001000", "aa", "000001", ""];
	expect(others.map((payload) => startsWith(MPEG4, payload))).not.toContain(true);
});
