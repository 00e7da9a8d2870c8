import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { MAX_RED_BLOCKS, type RedBlock, readRed } from "./red.ts";

const read = (hex: string) => {
	const bytes = bytesOfHex(`ffff ${hex} ff`);
	const block: RedBlock = { payloadType: 0, offset: 0, length: 0 };
	return readRed(block, bytes, 2, bytes.length - 3) ? block : null;
};

describe("RED", () => {
	it("finds the only payload of a packet of video", () => {
		expect(read("60 010203")).toEqual({ payloadType: 96, offset: 3, length: 3 });
	});

	it("finds a payload without bytes", () => {
		expect(read("60")).toEqual({ payloadType: 96, offset: 3, length: 0 });
	});

	it("finds the primary payload after redundant ones, RFC 2198 §7", () => {
		// Two bytes of 960 ticks before, three of 480.
		expect(read("ef 0f0002 ef 078003 6f aabb ccddee 112233")).toEqual({ payloadType: 111, offset: 16, length: 3 });
	});

	it("reads no truncated headers, and none whose redundant payloads are longer than the packet", () => {
		const whole = "ef0f0002 ef078003 6f aabb ccddee";
		const digits = whole.replaceAll(" ", "");
		for (let bytes = 0; bytes < digits.length / 2; bytes++)
			expect(read(digits.slice(0, bytes * 2)), `${bytes}`).toBeNull();
		expect(read(whole)).toEqual({ payloadType: 111, offset: 16, length: 0 });
	});

	it("reads no more blocks than anybody sends", () => {
		expect(read(`${"ef000000".repeat(MAX_RED_BLOCKS)} 6f 01`)?.length).toBe(1);
		expect(read(`${"ef000000".repeat(MAX_RED_BLOCKS + 1)} 6f 01`)).toBeNull();
	});
});
