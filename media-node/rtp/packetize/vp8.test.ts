import { expect, test } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { payloadLines } from "../../../test/support/rtp-lines.ts";
import { packetizeVp8 } from "./vp8.ts";

test("a frame that fits is one payload with S and the marker", () => {
	expect(payloadLines(packetizeVp8([bytesOfHex("50aabb")], 64))).toEqual(["m 1050aabb"]);
});

test("a large frame is cut, with S on the first part and the marker on the last", () => {
	const payloads = packetizeVp8([new Uint8Array(130).fill(1)], 64);
	expect(payloads.map(({ bytes, marker }) => [bytes[0], bytes.length, marker])).toEqual([
		[0x10, 64, false],
		[0, 64, false],
		[0, 5, true],
	]);
});

test("a frame that just fits is not cut, and an empty one is left out", () => {
	expect(packetizeVp8([new Uint8Array(63)], 64)).toHaveLength(1);
	expect(packetizeVp8([new Uint8Array(64)], 64)).toHaveLength(2);
	expect(packetizeVp8([new Uint8Array(0)], 64)).toEqual([]);
});
