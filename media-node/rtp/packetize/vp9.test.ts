import { expect, test } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { payloadLines } from "../../../test/support/rtp-lines.ts";
import { vp9Packetizer } from "./vp9.ts";

const KEY = bytesOfHex("8249");
const INTER = bytesOfHex("8601");

test("pictures have consecutive IDs, and P unless they are key frames", () => {
	const packetize = vp9Packetizer(0x7ffe);
	expect(payloadLines(packetize([KEY], 64))).toEqual(["m 8cfffe8249"]);
	expect(payloadLines(packetize([INTER], 64))).toEqual(["m ccffff8601"]);
	expect(payloadLines(packetize([new Uint8Array(0)], 64))).toEqual([]);
	expect(payloadLines(packetize([INTER], 64))).toEqual(["m cc80008601"]);
});

test("a large picture is cut, with B on the first part, E and the marker on the last", () => {
	const payloads = vp9Packetizer(5)([new Uint8Array(130).fill(0x86)], 64);
	expect(payloads.map(({ bytes, marker }) => [[...bytes.subarray(0, 3)], bytes.length, marker])).toEqual([
		[[0xc8, 0x80, 5], 64, false],
		[[0xc0, 0x80, 5], 64, false],
		[[0xc4, 0x80, 5], 3 + 8, true],
	]);
});
