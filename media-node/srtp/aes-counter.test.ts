import { createCipheriv, createSecretKey, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { AesCounter } from "./aes-counter.ts";

describe("the keystream of RFC 3711 §B.2", () => {
	const key = createSecretKey(bytesOfHex("2B7E151628AED2A6ABF7158809CF4F3C"));
	const counter = new AesCounter(key, bytesOfHex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
	const keystream = counter.keystream(0, 0, 0, 1_044_512);

	it.each([
		[0x0000, "E03EAD0935C95E80E166B16DD92B4EB4"],
		[0x0001, "D23513162B02D0F72A43A2FE4A5F97AB"],
		[0x0002, "41E95B3BB0A2E8DD477901E4FCA894C0"],
		[0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4"],
		[0xff00, "362B7C3C6773516318A077D7FC5073AE"],
		[0xff01, "6A2CC3787889374FBEB4C81B17BA6C44"],
	])("has block %i", (block, expected) => {
		expect(new Uint8Array(keystream.subarray(block * 16, block * 16 + 16))).toEqual(bytesOfHex(expected));
	});
});

describe("a counter that serves for many packets", () => {
	it("gives the keystream of AES in counter mode, whatever packet comes after whatever other", () => {
		const key = createSecretKey(randomBytes(16));
		const salt = randomBytes(14);
		const counter = new AesCounter(key, salt);
		const packets: [number, number, number, number][] = [
			[0, 0, 0, 1],
			[0xffffffff, 0xffffffff, 0xffff, 1200],
			[0xffffffff, 0xffffffff, 0xfffe, 3000],
			[1, 0xffffffff, 0xfffe, 16],
			[1, 2, 0x1234, 65_507],
			[1, 2, 0x1235, 0],
			[1, 3, 0x1235, 2000],
		];
		for (const [ssrc, high, low, length] of packets) {
			const mask = Buffer.alloc(16);
			mask.writeUInt32BE(ssrc, 4);
			mask.writeUInt32BE(high, 8);
			mask.writeUInt16BE(low, 12);
			const iv = mask.map((byte, i) => byte ^ (salt[i] ?? 0));
			const expected = createCipheriv("aes-128-ctr", key, iv).update(Buffer.alloc(length));
			const keystream = counter.keystream(ssrc, high, low, length);
			expect(Buffer.from(keystream.subarray(0, length)).equals(expected)).toBe(true);
			expect(keystream.length - length).toBeLessThan(16);
		}
	});

	it("has no more than 2^16 blocks for a packet", () => {
		const counter = new AesCounter(createSecretKey(randomBytes(16)), randomBytes(14));
		expect(() => counter.keystream(0, 0, 0, 2 ** 20 + 1)).toThrow(RangeError);
	});
});
