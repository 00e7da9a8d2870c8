import { expect, test } from "vitest";
import { packetizeMpeg4Video } from "./mpeg4-video.ts";

test("a VOP is cut into payloads without a header, with the marker on the last", () => {
	const vop = Uint8Array.from({ length: 130 }, (_, i) => i);
	const payloads = packetizeMpeg4Video([vop], 64);
	expect(payloads.map(({ bytes, marker }) => [bytes[0], bytes.length, marker])).toEqual([
		[0, 64, false],
		[64, 64, false],
		[128, 2, true],
	]);
});

test("a VOP that just fits is not cut, and an empty one is left out", () => {
	expect(packetizeMpeg4Video([new Uint8Array(64)], 64)).toHaveLength(1);
	expect(packetizeMpeg4Video([new Uint8Array(0)], 64)).toEqual([]);
});
