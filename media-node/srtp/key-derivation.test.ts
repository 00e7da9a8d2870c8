import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { deriveKey, KeyLabel } from "./key-derivation.ts";

describe("the key derivation of RFC 3711 §B.3", () => {
	const key = createSecretKey(bytesOfHex("E1F97A0D3E018BE0D64FA32C06DE4139"));
	const salt = bytesOfHex("0EC675AD498AFEEBB6960B3AABE6");

	it("gives the cipher key", () => {
		expect(deriveKey(key, salt, KeyLabel.rtpEncryption, 16)).toEqual(bytesOfHex("C61E7A93744F39EE10734AFE3FF7A087"));
	});

	it("gives the cipher salt", () => {
		expect(deriveKey(key, salt, KeyLabel.rtpSalt, 14)).toEqual(bytesOfHex("30CBBC08863D8C85D49DB34A9AE1"));
	});

	it("gives the authentication key", () => {
		expect(deriveKey(key, salt, KeyLabel.rtpAuthentication, 94)).toEqual(
			bytesOfHex(`CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098
				6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2`),
		);
	});

	it("refuses a salt that is longer than its place", () => {
		expect(() => deriveKey(key, new Uint8Array(15), KeyLabel.rtpSalt, 14)).toThrow(RangeError);
	});
});
