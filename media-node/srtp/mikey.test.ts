import { describe, expect, it } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { MAX_MIKEY_BYTES, type MikeyMessage, parseMikey, writeMikey } from "./mikey.ts";

/** Written by GStreamer 1.22: a key with a salt and an SPI of their own. */
const GSTREAMER =
	bytesOfHex(`01000500cafe123401000099887766000000030b00eeabc79b3d53dea40a105f7f6be6efe4a3941dd44591458ca770
	01000000150001010101100201010301040701010801010a01010000002700310010000102030405060708090a0b0c0d0e0f000e6465666768
	696a6b6c6d6e6f707102090800`);

/** Of gortsplib's tests: a key that is followed by its salt, for two sources. */
const GORTSPLIB =
	bytesOfHex(`010005007de127a6020000cc8362370000000000b5cc3bf2000000000b00ebfef66ba2b1f6870a1061bb199432530356
	a2d188071523759501000000150001010101100201010301 0a0701010801010a010100000022002000 1e991b0f148f094b4e5b8b3053cd6276
	877fcced1866f141772adddde7064b00`);

/** A message without sources, whose first payload has a type. Each payload begins with the type of the next one. */
const messageOf = (firstType: string, payloads: string) => bytesOfHex(`0100${firstType}00 00000000 0000 ${payloads}`);

/** A payload of five keys. */
const kemacOf5 = (next: string) => `${next} 00 0014 ${"14200000".repeat(4)} 00200000 00`;

function codeOf(bytes: Uint8Array): string {
	try {
		parseMikey(bytes);
	} catch (error) {
		if (error instanceof ProtocolError) return error.code;
		throw error;
	}
	return "none";
}

describe("a message of GStreamer", () => {
	const parsed = parseMikey(GSTREAMER);

	it("is parsed", () => {
		expect(parsed).toEqual({
			wantsAnswer: false,
			bundle: 0xcafe1234,
			sources: [{ policy: 0, ssrc: 0x99887766, rollover: 3 }],
			timestamp: { type: 0, value: bytesOfHex("eeabc79b3d53dea4") },
			random: bytesOfHex("5f7f6be6efe4a3941dd44591458ca770"),
			policies: [
				{
					number: 0,
					parameters: [
						[0, 1],
						[1, 16],
						[2, 1],
						[3, 4],
						[7, 1],
						[8, 1],
						[10, 1],
					].map(([type, value]) => ({ type: type!, value: Uint8Array.of(value!) })),
				},
			],
			keys: [
				{
					key: bytesOfHex("000102030405060708090a0b0c0d0e0f"),
					salt: bytesOfHex("6465666768696a6b6c6d6e6f7071"),
					spi: bytesOfHex("0908"),
				},
			],
		} satisfies MikeyMessage);
	});

	it("is written again byte for byte", () => {
		expect(writeMikey(parsed)).toEqual(GSTREAMER);
	});
});

describe("a message of gortsplib", () => {
	const parsed = parseMikey(GORTSPLIB);

	it("is parsed", () => {
		expect(parsed.sources).toEqual([
			{ policy: 0, ssrc: 0xcc836237, rollover: 0 },
			{ policy: 0, ssrc: 0xb5cc3bf2, rollover: 0 },
		]);
		const key = bytesOfHex("991b0f148f094b4e5b8b3053cd6276877fcced1866f141772adddde7064b");
		expect(parsed.keys).toEqual([{ key, salt: null, spi: null }]);
	});

	it("is written again byte for byte", () => {
		expect(writeMikey(parsed)).toEqual(GORTSPLIB);
	});
});

describe("a message", () => {
	it.each([
		["GStreamer", GSTREAMER],
		["gortsplib", GORTSPLIB],
	])("of %s is refused at each truncation, and with bytes behind it", (_, bytes) => {
		for (let length = 0; length < bytes.length; length++) {
			expect(codeOf(bytes.subarray(0, length))).toMatch(/^bytes\.(truncated|malformed)$/);
		}
		expect(codeOf(Uint8Array.of(...bytes, 0))).toBe("bytes.malformed");
	});

	it("may hold all that there is room for", () => {
		const full: MikeyMessage = {
			wantsAnswer: true,
			bundle: 0xffffffff,
			sources: Array.from({ length: 64 }, (_, i) => ({ policy: i, ssrc: 0xffffffff - i, rollover: i })),
			timestamp: { type: 2, value: new Uint8Array(4) },
			random: new Uint8Array(255).fill(1),
			policies: Array.from({ length: 8 }, (_, number) => ({
				number,
				parameters: Array.from({ length: 32 }, (_, type) => ({ type, value: new Uint8Array(type) })),
			})),
			keys: Array.from({ length: 8 }, (_, i) => ({
				key: new Uint8Array(i),
				salt: i % 2 === 0 ? null : new Uint8Array(i),
				spi: i % 3 === 0 ? null : new Uint8Array(255),
			})),
		};
		expect(parseMikey(writeMikey(full))).toEqual(full);
	});

	it("may do without all but its time stamp", () => {
		const least: MikeyMessage = {
			...{ wantsAnswer: false, bundle: 0, sources: [], random: null, policies: [], keys: [] },
			timestamp: { type: 1, value: new Uint8Array(8) },
		};
		expect(parseMikey(writeMikey(least))).toEqual(least);
	});

	it("may hold identities and extensions, which are left out", () => {
		const bytes = messageOf("05", "06 00 0000000000000000  15 00 0003 616263  00 00 0001 61");
		expect(parseMikey(bytes)).toMatchObject({ keys: [], random: null });
	});

	it.each([
		["another version", bytesOfHex("0200050000000000 0000"), "media.unsupported"],
		["another exchange", bytesOfHex("0102050000000000 0000"), "media.unsupported"],
		["another map than that of SRTP", bytesOfHex("0100050000000000 0001"), "media.unsupported"],
		["more sources than there may be", bytesOfHex("0100050000000000 4100"), "bytes.limit"],
		["no time stamp", messageOf("00", ""), "bytes.malformed"],
		["a time stamp of another type", messageOf("05", "00 03 0000000000000000"), "media.unsupported"],
		["another payload", messageOf("02", "00 00"), "media.unsupported"],
		["a policy of another protocol", messageOf("0a", "00 00 01 0000"), "media.unsupported"],
		["a parameter that is longer than its policy", messageOf("0a", "00 00 00 0003 000201"), "bytes.truncated"],
		["encrypted keys", messageOf("01", "00 01 0000 00"), "media.unsupported"],
		["authenticated keys", messageOf("01", "00 00 0004 00200000 01"), "media.unsupported"],
		["a key that others are to be derived from", messageOf("01", "00 00 0004 00000000 00"), "media.unsupported"],
		["a key for an interval", messageOf("01", "00 00 0004 00220000 00"), "media.unsupported"],
		["another payload among keys", messageOf("01", "00 00 0004 05200000 00"), "media.unsupported"],
		["no key where keys are", messageOf("01", "00 00 0000 00"), "bytes.truncated"],
		["bytes behind its keys", messageOf("01", "00 00 0005 0020000000 00"), "bytes.malformed"],
		["more parameters than there may be", messageOf("0a", `00 00 00 0042 ${"0000".repeat(33)}`), "bytes.limit"],
		["more keys than there may be", messageOf("01", `00 00 0024 ${"14200000".repeat(9)} 00`), "bytes.limit"],
		["more keys in two payloads", messageOf("01", `${kemacOf5("01")} ${kemacOf5("00")}`), "bytes.limit"],
		["more policies than there may be", messageOf("0a", "0a00000000".repeat(9)), "bytes.limit"],
		["more payloads than there may be", messageOf("0b", "0b00".repeat(33)), "bytes.limit"],
	])("is refused with %s", (_, bytes, code) => {
		expect(codeOf(bytes)).toBe(code);
	});

	it("is refused where it is longer than any", () => {
		expect(codeOf(new Uint8Array(MAX_MIKEY_BYTES + 1))).toBe("bytes.limit");
	});

	it("is not written with what has no room in it", () => {
		const parsed = parseMikey(GSTREAMER);
		expect(() => writeMikey({ ...parsed, random: new Uint8Array(256) })).toThrow(RangeError);
		expect(() => writeMikey({ ...parsed, timestamp: { type: 0, value: new Uint8Array(4) } })).toThrow(RangeError);
		expect(() => writeMikey({ ...parsed, sources: Array(65).fill(parsed.sources[0]) })).toThrow(RangeError);
		const keys = [{ key: new Uint8Array(65_536), salt: null, spi: null }];
		expect(() => writeMikey({ ...parsed, keys })).toThrow(RangeError);
	});
});
