import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { AesGcmCipher } from "./aes-gcm.ts";

const keys = {
	encryption: createSecretKey(bytesOfHex("000102030405060708090a0b0c0d0e0f")),
	salt: bytesOfHex("517569642070726f2071756f"),
};

describe("the packet of RFC 7714 §16.1", () => {
	const cipher = new AesGcmCipher(keys, false);
	const index = { ssrc: 0x5501a0b2, high: 0, low: 0xf17b, trailer: 0 };
	const clear = bytesOfHex(`8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465
		732074726573`);
	const sealed = bytesOfHex(`8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b
		36de3adf8833899d7f27beb16a9152cf765ee4390cce`);

	it("is encrypted and tagged", () => {
		const out = new Uint8Array(sealed.length);
		cipher.seal(index, clear, 0, 12, clear.length, out, 0, clear.length);
		expect(out).toEqual(sealed);
	});

	it("is decrypted in place", () => {
		const bytes = sealed.slice();
		expect(cipher.open(index, bytes, 0, 12, clear.length, clear.length, bytes, 0)).toBe(true);
		expect(bytes.subarray(0, clear.length)).toEqual(clear);
	});

	it("is refused with any other bit, and then nothing is written", () => {
		for (let bit = 0; bit < sealed.length * 8; bit++) {
			const bytes = sealed.slice();
			bytes[bit >> 3]! ^= 1 << (bit & 7);
			const damaged = bytes.slice();
			expect(cipher.open(index, bytes, 0, 12, clear.length, clear.length, bytes, 0)).toBe(false);
			expect(bytes).toEqual(damaged);
		}
	});
});

describe("the RTCP packet of RFC 7714 §17.1", () => {
	const cipher = new AesGcmCipher(keys, true);
	const index = { ssrc: 0x4d617273, high: 0, low: 0x5d4, trailer: 0x800005d4 };
	const clear = bytesOfHex(`81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeef
		deadbeefdeadbeef`);
	const sealed = bytesOfHex(`81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46
		86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade`);

	it("is encrypted and tagged with its index", () => {
		const out = new Uint8Array(sealed.length);
		cipher.seal(index, clear, 0, 8, clear.length, out, 0, clear.length);
		expect(out).toEqual(sealed);
	});

	it("is decrypted only with its index", () => {
		const out = new Uint8Array(clear.length);
		const other = { ...index, trailer: 0x5d4 };
		expect(cipher.open(other, sealed, 0, 8, clear.length, clear.length, out, 0)).toBe(false);
		expect(cipher.open(index, sealed, 0, 8, clear.length, clear.length, out, 0)).toBe(true);
		expect(out).toEqual(clear);
	});
});
