import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hasCode } from "#shared/problem.ts";
import { type MikeyMessage, parseMikey, writeMikey } from "./mikey.ts";
import { keysOf, mikeyFor } from "./mikey-keys.ts";
import type { SrtpProfile } from "./profile.ts";

const nowMs = Date.UTC(2026, 0, 1, 0, 0, 0, 500);
const key = new Uint8Array(randomBytes(16));
const salt = new Uint8Array(randomBytes(14));
const offer = mikeyFor({ key, salt, ssrcs: [7], nowMs });

/** The offer with another policy: parameters by type, of one byte each. */
function withPolicy(parameters: Record<number, number>): MikeyMessage {
	const values = Object.entries(parameters).map(([type, value]) => ({
		type: Number(type),
		value: Uint8Array.of(value),
	}));
	return { ...offer, policies: [{ number: 0, parameters: values }] };
}

function withKey(keyBytes: number, saltBytes: number | null, spiBytes: number | null = null): MikeyMessage {
	const bytesOf = (count: number | null) => (count === null ? null : new Uint8Array(count));
	return { ...offer, keys: [{ key: new Uint8Array(keyBytes), salt: bytesOf(saltBytes), spi: bytesOf(spiBytes) }] };
}

describe("an offer", () => {
	it.each<[SrtpProfile, number]>([
		["AES_CM_128_HMAC_SHA1_80", 14],
		["AES_CM_128_HMAC_SHA1_32", 14],
		["AEAD_AES_128_GCM", 12],
	])("of %s is understood as it was meant", (profile, saltBytes) => {
		const mki = Uint8Array.of(1, 2);
		const ssrcs = [0xffffffff, { ssrc: 5, rollover: 9 }];
		const master = { profile, key, salt: salt.slice(0, saltBytes), mki };
		const sent = writeMikey(mikeyFor({ ...master, ssrcs, nowMs }));
		expect(keysOf(parseMikey(sent))).toEqual({
			master,
			encryptsRtcp: true,
			sources: [
				{ ssrc: 0xffffffff, rollover: 0 },
				{ ssrc: 5, rollover: 9 },
			],
		});
	});

	it("has a key that is followed by its salt and always valid, as gortsplib asks for", () => {
		expect(offer.keys).toEqual([{ key: Uint8Array.of(...key, ...salt), salt: null, spi: null }]);
		expect(keysOf(offer).master).toEqual({ profile: "AES_CM_128_HMAC_SHA1_80", key, salt });
	});

	it("tells the time, and is another one each time", () => {
		const { timestamp, random, bundle } = offer;
		const seconds = 3_976_214_400; // from 1900 to 2026: 126 years, 31 of them leap years
		expect(Buffer.from(timestamp.value).toString("hex")).toBe(`${seconds.toString(16)}80000000`);
		const other = mikeyFor({ key, salt, ssrcs: [7], nowMs });
		expect(other.random).not.toEqual(random);
		expect(other.bundle).not.toBe(bundle);
	});

	it("cannot be made of a key of another size", () => {
		expect(() => mikeyFor({ key: salt, salt, ssrcs: [], nowMs })).toThrow(RangeError);
		expect(() => mikeyFor({ key, salt, profile: "AEAD_AES_128_GCM", ssrcs: [], nowMs })).toThrow(RangeError);
	});
});

describe("the keys of a message", () => {
	it.each<[string, Record<number, number>, SrtpProfile]>([
		["nothing", {}, "AES_CM_128_HMAC_SHA1_80"],
		["an authentication key of 20 bytes, as it has", { 3: 20 }, "AES_CM_128_HMAC_SHA1_80"],
		["an authentication key of 10 bytes, as GStreamer does", { 3: 10 }, "AES_CM_128_HMAC_SHA1_80"],
		["an authentication key of 4 bytes, as GStreamer does", { 3: 4 }, "AES_CM_128_HMAC_SHA1_32"],
		["a tag of 4 bytes", { 3: 20, 11: 4 }, "AES_CM_128_HMAC_SHA1_32"],
		["a tag of 10 bytes", { 3: 4, 11: 10 }, "AES_CM_128_HMAC_SHA1_80"],
	])("are of the profile that a policy with %s means", (_, parameters, profile) => {
		expect(keysOf(withPolicy(parameters)).master.profile).toBe(profile);
	});

	it("follow the policy of the source, and the default where there is none", () => {
		const parameters = [{ type: 11, value: Uint8Array.of(4) }];
		const sources = [{ policy: 3, ssrc: 1, rollover: 0 }];
		const policies = [{ number: 1, parameters: [] }, ...[{ number: 3, parameters }]];
		expect(keysOf({ ...offer, sources, policies }).master.profile).toBe("AES_CM_128_HMAC_SHA1_32");
		expect(keysOf({ ...offer, sources: [], policies }).master.profile).toBe("AES_CM_128_HMAC_SHA1_80");
		expect(keysOf({ ...offer, policies: [] }).master.profile).toBe("AES_CM_128_HMAC_SHA1_80");
	});

	it("tell that RTCP is not encrypted", () => {
		expect(keysOf(withPolicy({ 8: 0 })).encryptsRtcp).toBe(false);
		expect(keysOf(withPolicy({})).encryptsRtcp).toBe(true);
	});

	it("are copies, so that they do not hold on to a request", () => {
		const sent = writeMikey(offer);
		const { master } = keysOf(parseMikey(sent));
		sent.fill(0);
		expect(master.key).toEqual(key);
		expect(master.salt).toEqual(salt);
	});

	it.each<[string, MikeyMessage]>([
		["there are none", { ...offer, keys: [] }],
		["RTP is not encrypted", withPolicy({ 7: 0 })],
		["RTP is not authenticated", withPolicy({ 10: 0 })],
		["there is no cipher", withPolicy({ 0: 0 })],
		["the cipher is AES-F8", withPolicy({ 0: 2 })],
		["the session key has 32 bytes", withPolicy({ 1: 32 })],
		["there is no HMAC", withPolicy({ 2: 0 })],
		["the tag has 5 bytes", withPolicy({ 11: 5 })],
		["the tag of AES-GCM has 8 bytes", withPolicy({ 0: 6, 20: 8 })],
		["there is another pseudo-random function", withPolicy({ 5: 1 })],
		["keys are derived again", withPolicy({ 6: 1 })],
		[
			"a parameter is longer than a number",
			{ ...offer, policies: [{ number: 0, parameters: [{ type: 0, value: salt }] }] },
		],
		["the key is short", withKey(15, null)],
		["the salt is short", withKey(29, null)],
		["the salt is long", withKey(31, null)],
		["the key with a salt of its own is long", withKey(17, 14)],
		["the salt of its own is short", withKey(16, 13)],
		["the identifier is long", withKey(16, 14, 129)],
	])("are refused where %s", (_, message) => {
		let thrown: unknown;
		try {
			keysOf(message);
		} catch (error) {
			thrown = error;
		}
		expect(hasCode(thrown, "media.unsupported")).toBe(true);
	});
});
