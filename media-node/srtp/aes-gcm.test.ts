import { createCipheriv, createSecretKey, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { AesGcmCipher } from "./aes-gcm.ts";
import type { PacketIndex } from "./packet-cipher.ts";

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

describe("packets under several keys", () => {
	/** The same by OpenSSL. RFC 7714 §8.1. */
	function sealedByOpenSsl(key: Uint8Array, salt: Uint8Array, index: PacketIndex, clear: number, packet: Uint8Array) {
		const iv = Buffer.alloc(12);
		iv.writeUInt32BE(index.ssrc, 2);
		iv.writeUInt32BE(index.high, 6);
		iv.writeUInt16BE(index.low, 10);
		for (let i = 0; i < iv.length; i++) iv[i]! ^= salt[i]!;
		const cipher = createCipheriv("aes-128-gcm", key, iv).setAAD(packet.subarray(0, clear));
		const body = Buffer.concat([cipher.update(packet.subarray(clear)), cipher.final()]);
		return Uint8Array.from(Buffer.concat([packet.subarray(0, clear), body, cipher.getAuthTag()]));
	}

	const made = Array.from({ length: 3 }, () => {
		const [key, salt] = [randomBytes(16), randomBytes(12)];
		return { key, salt, cipher: new AesGcmCipher({ encryption: createSecretKey(key), salt }, false) };
	});
	const indexOf = (low: number): PacketIndex => ({ ssrc: 0x89abcdef, high: 0xfedcba98, low, trailer: 0 });

	it("are what OpenSSL makes of them, and are opened, at any length of header and payload", () => {
		for (let size = 0; size < 300; size++) {
			const clear = 12 + 4 * (size % 16);
			const packet = randomBytes(clear + size);
			// Turn by turn, and each key for some packets in a row.
			const { key, salt, cipher } = made[(size >> 2) % made.length]!;
			const out = new Uint8Array(packet.length + 16);
			cipher.seal(indexOf(size), packet, 0, clear, packet.length, out, 0, packet.length);
			expect(out).toEqual(sealedByOpenSsl(key, salt, indexOf(size), clear, packet));
			expect(cipher.open(indexOf(size), out, 0, clear, packet.length, packet.length, out, 0)).toBe(true);
			expect(out.subarray(0, packet.length)).toEqual(Uint8Array.from(packet));
		}
	});

	it.each([1_200, 1_536, 1_537, 20_000, 65_519])("are what OpenSSL makes of them with %i bytes", (length) => {
		const { key, salt, cipher } = made[0]!;
		const packet = randomBytes(length);
		const out = new Uint8Array(length + 16);
		cipher.seal(indexOf(1), packet, 0, 12, length, out, 0, length);
		expect(out).toEqual(sealedByOpenSsl(key, salt, indexOf(1), 12, packet));
	});

	it("with a header as long as can be have room", () => {
		const { key, salt, cipher } = made[1]!;
		const packet = randomBytes(65_535);
		const out = new Uint8Array(packet.length + 16);
		cipher.seal(indexOf(1), packet, 0, 65_532, packet.length, out, 0, packet.length);
		expect(out).toEqual(sealedByOpenSsl(key, salt, indexOf(1), 65_532, packet));
	});

	it("are the same over another part of the same buffer", () => {
		const { key, salt, cipher } = made[2]!;
		const buffer = new Uint8Array(300).fill(7);
		const packet = buffer.slice(20, 220);
		cipher.seal(indexOf(5), buffer, 20, 12, 200, buffer, 30, 230);
		expect(buffer.slice(30, 246)).toEqual(sealedByOpenSsl(key, salt, indexOf(5), 12, packet));
	});
});
