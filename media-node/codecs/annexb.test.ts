import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { splitAnnexB } from "./annexb.ts";

test.each([
	["long and short start codes", "00000001 65aa 000001 41bb", ["65aa", "41bb"]],
	["what comes before the first start code", "aabb 000001 65", ["65"]],
	["zeros after a unit", "000001 65aa 000000 000001 41", ["65aa", "41"]],
	["start codes without unit between them", "000001 000001 65", ["65"]],
	["zeros inside of a unit", "000001 65 0000 03 01 00 02", ["650000030100 02".replaceAll(" ", "")]],
	["no start code", "0000 02 65", []],
	["a start code at the end", "000001 65 000001", ["65"]],
	["nothing", "", []],
])("%s", (_, bytes, nals) => {
	expect(splitAnnexB(bytesOfHex(bytes)).map((nal) => Buffer.from(nal).toString("hex"))).toEqual(nals);
});

test("units that were joined are found again, as views", () => {
	const nal = fc.uint8Array({ min: 1, minLength: 1, maxLength: 20 });
	fc.assert(
		fc.property(fc.array(nal), (nals) => {
			const stream = new Uint8Array(Buffer.concat(nals.flatMap((nal) => [Uint8Array.of(0, 0, 1), nal])));
			const found = splitAnnexB(stream);
			expect(found).toEqual(nals);
			expect(found.every((view) => view.buffer === stream.buffer)).toBe(true);
		}),
	);
});
