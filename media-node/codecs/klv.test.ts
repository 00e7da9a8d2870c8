import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { isWholeKlv } from "./klv.ts";

/** The key of MISB ST 0601's local set. */
const KEY = "060e2b34020b01010e01030101000000";

test.each([
	["a short length", `${KEY}03010203`, true],
	["no value", `${KEY}00`, true],
	["a long length of one byte", `${KEY}8103010203`, true],
	["a long length of three bytes", `${KEY}83000002aabb`, true],
	["several items", `${KEY}0101${KEY}810102`, true],
	["nothing", "", false],
	["a key alone", KEY, false],
	["a key that is no universal label", `${KEY.replace("2b", "2c")}00`, false],
	["a value that is cut", `${KEY}030102`, false],
	["bytes behind the items", `${KEY}010100`, false],
	["a length that is cut", `${KEY}8200`, false],
	["a length without end", `${KEY}80010203`, false],
	["a length of nine bytes", `${KEY}89000000000000000001aa`, false],
	["a length beyond belief", `${KEY}88ffffffffffffffff`, false],
])("items with %s", (_, hex, whole) => {
	expect(isWholeKlv(bytesOfHex(hex))).toBe(whole);
});

test("of several items, no part but whole items is whole", () => {
	const items = bytesOfHex(`${KEY}0101${KEY}81020203`);
	const whole = Array.from(items.keys()).filter((length) => isWholeKlv(items.subarray(0, length)));
	expect(whole).toEqual([18]);
});
