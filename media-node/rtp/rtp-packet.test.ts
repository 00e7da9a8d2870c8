import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import {
	isRtcp,
	isRtp,
	newRtpPacket,
	patchRtpHeader,
	readRtpPacket,
	sequenceDistance,
	writeRtpHeader,
} from "./rtp-packet.ts";

/** What is read of a packet that stands between other bytes. */
function read(hex: string) {
	const packet = bytesOfHex(hex);
	const bytes = new Uint8Array(packet.length + 7).fill(0xff);
	bytes.set(packet, 3);
	const into = newRtpPacket();
	return readRtpPacket(into, bytes, 3, packet.length) ? into : null;
}

const PLAIN = { marker: true, payloadType: 96, sequence: 0x1234, timestamp: 0xfedcba98, ssrc: 0x89abcdef };

describe("readRtpPacket", () => {
	test.each([
		["a plain packet", "80e0 1234 fedcba98 89abcdef aabbcc", { payloadOffset: 15, payloadLength: 3 }],
		["a packet without payload", "80e0 1234 fedcba98 89abcdef", { payloadOffset: 15, payloadLength: 0 }],
		[
			"contributing sources",
			"82e0 1234 fedcba98 89abcdef 00000001 00000002 aa",
			{ payloadOffset: 23, payloadLength: 1 },
		],
		["an extension", "90e0 1234 fedcba98 89abcdef bede 0001 10aa0000 aabb", { payloadOffset: 23, payloadLength: 2 }],
		["an empty extension", "90e0 1234 fedcba98 89abcdef bede 0000 aa", { payloadOffset: 19, payloadLength: 1 }],
		["padding", "a0e0 1234 fedcba98 89abcdef aabb 000003", { payloadOffset: 15, payloadLength: 2 }],
		["nothing but padding", "a0e0 1234 fedcba98 89abcdef 0002", { payloadOffset: 15, payloadLength: 0 }],
		[
			"all of them",
			"b1e0 1234 fedcba98 89abcdef 00000001 1000 0001 00000000 aa 01",
			{ payloadOffset: 27, payloadLength: 1 },
		],
	])("reads %s", (_, hex, payload) => {
		expect(read(hex)).toEqual({ ...PLAIN, ...payload });
	});

	test.each([
		["another version", "40e0 1234 fedcba98 89abcdef aa"],
		["contributing sources that are cut", "82e0 1234 fedcba98 89abcdef 00000001 0000"],
		["an extension whose header is cut", "90e0 1234 fedcba98 89abcdef bede00"],
		["an extension that is cut", "90e0 1234 fedcba98 89abcdef bede 0002 00000000"],
		["padding of 0", "a0e0 1234 fedcba98 89abcdef aabb00"],
		["padding longer than the payload", "a0e0 1234 fedcba98 89abcdef aabb04"],
	])("refuses %s", (_, hex) => {
		expect(read(hex)).toBeNull();
	});

	test("refuses what is shorter than a header, and what lies outside of the bytes", () => {
		const packet = bytesOfHex("80e0 1234 fedcba98 89abcdef");
		for (let length = 0; length < 12; length++) expect(readRtpPacket(newRtpPacket(), packet, 0, length)).toBe(false);
		expect(readRtpPacket(newRtpPacket(), packet, 1, 12)).toBe(false);
		expect(readRtpPacket(newRtpPacket(), packet, -1, 12)).toBe(false);
	});

	test("whatever it reads, the payload lies within the packet", () => {
		const packet = newRtpPacket();
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
				if (bytes.length > 0) bytes[0] = (bytes[0]! & 0x3f) | 0x80;
				if (!readRtpPacket(packet, bytes, 0, bytes.length)) return;
				expect(packet.payloadOffset).toBeGreaterThanOrEqual(12);
				expect(packet.payloadLength).toBeGreaterThanOrEqual(0);
				expect(packet.payloadOffset + packet.payloadLength).toBeLessThanOrEqual(bytes.length);
			}),
		);
	});
});

test("a header that is written is read back, and can be patched", () => {
	const bytes = new Uint8Array(20).fill(0xff);
	writeRtpHeader(bytes, 4, PLAIN);
	const packet = newRtpPacket();
	expect(readRtpPacket(packet, bytes, 4, 16)).toBe(true);
	expect(packet).toMatchObject({ ...PLAIN, payloadOffset: 16, payloadLength: 4 });
	patchRtpHeader(bytes, 4, 0x1_0001, 2 ** 32 + 7, -1);
	readRtpPacket(packet, bytes, 4, 16);
	expect(packet).toMatchObject({ ...PLAIN, sequence: 1, timestamp: 7, ssrc: 0xffff_ffff });
	expect(() => writeRtpHeader(bytes, 9, PLAIN)).toThrow(RangeError);
});

test.each([
	[0, 1, 1],
	[1, 0, -1],
	[0xffff, 0, 1],
	[0, 0xffff, -1],
	[0, 0x7fff, 32_767],
	[0, 0x8000, -32_768],
	[7, 7, 0],
])("from sequence number %i to %i it is %i", (from, to, distance) => {
	expect(sequenceDistance(from, to)).toBe(distance);
});

describe("isRtp and isRtcp", () => {
	test.each([
		["RTP", "80e0 1234 fedcba98 89abcdef", true, false],
		["RTP of a static type with marker", "8088 1234 fedcba98 89abcdef", true, false],
		["a sender report", "80c8 0006 fedcba98 89abcdef", false, true],
		["an empty receiver report", "80c9 0001", false, true],
		["feedback", "81ce 0002 00000001 00000002", false, true],
		["STUN", "0001 0000 2112a442 00000000", false, false],
		["DTLS", "16fe fd00 00000000 00000000", false, false],
		["a short datagram", "80", false, false],
		["an empty datagram", "", false, false],
	])("tell %s", (_, hex, rtp, rtcp) => {
		const bytes = bytesOfHex(hex);
		expect([isRtp(bytes), isRtcp(bytes)]).toEqual([rtp, rtcp]);
	});
});
