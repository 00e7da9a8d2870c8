import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { parseRtcp, type ReportBlock, type RtcpPacket, writeRtcp } from "./rtcp-packet.ts";

/** By the figures of RFC 3550 §6.4 to §6.6: SR with a report block, SDES with two items, BYE with a reason. */
const COMPOUND = `
	81c8 000c 01020304 e0000000 80000000 00015f90 00000064 00001000
		0a0b0c0d 40 fffffe 00010005 00000021 b7052000 00054000
	81ca 0004 01020304 01 03 616263 06 02 7a7a 000000
	81cb 0002 01020304 03 627965`;
const REPORT: ReportBlock = {
	...{ ssrc: 0x0a0b0c0d, fractionLost: 0x40, totalLost: -2, highestSequence: 0x10005 },
	...{ jitter: 0x21, lastSenderReport: 0xb7052000, delaySinceLast: 0x54000 },
};
const SENDER: RtcpPacket = {
	...{ type: "SR", ssrc: 0x01020304, ntp: { seconds: 0xe0000000, fraction: 0x80000000 } },
	...{ rtpTime: 90_000, packets: 100, octets: 4_096, reports: [REPORT] },
};

describe("parseRtcp", () => {
	test("reads a compound packet", () => {
		expect(parseRtcp(bytesOfHex(COMPOUND))).toEqual([
			SENDER,
			{ type: "SDES", chunks: [{ ssrc: 0x01020304, cname: "abc" }] },
			{ type: "BYE", ssrcs: [0x01020304], reason: "bye" },
		]);
	});

	test("leaves out what it does not know: APP, feedback, extended reports", () => {
		const others = "80cc 0002 01020304 6e616d65  81ce 0002 00000001 00000002  80cf 0001 00000001";
		expect(parseRtcp(bytesOfHex(`80c9 0001 00000007 ${others}`))).toEqual([{ type: "RR", ssrc: 7, reports: [] }]);
	});

	test("reads over extensions of reports, and padding", () => {
		expect(parseRtcp(bytesOfHex("a0c9 0002 00000007 00000004"))).toEqual([{ type: "RR", ssrc: 7, reports: [] }]);
	});

	test("reads a part of a larger buffer", () => {
		expect(parseRtcp(bytesOfHex("ffff 80c9 0001 00000007 ff"), 2, 8)).toHaveLength(1);
	});

	test.each([
		["another version", "40c9 0001 00000007", "bytes.malformed"],
		["a length beyond the end", "80c9 0002 00000007", "bytes.truncated"],
		["more reports than there is room for", "81c9 0001 00000007", "bytes.truncated"],
		["a sender report without its fields", "80c8 0001 00000007", "bytes.truncated"],
		["a text beyond the end", "81ca 0002 00000007 01ff6162", "bytes.truncated"],
		["items without end", "81ca 0002 00000007 01026162", "bytes.truncated"],
		["a reason beyond the end", "81cb 0002 00000007 ff616263", "bytes.truncated"],
	])("refuses %s", (_, hex, code) => {
		expect(() => parseRtcp(bytesOfHex(hex))).toThrow(expect.objectContaining({ code }));
	});

	test("every truncation is refused, but between two packets", () => {
		const bytes = bytesOfHex(COMPOUND);
		const whole = [0, 52, 72];
		for (let length = 0; length < bytes.length; length++) {
			if (whole.includes(length)) expect(parseRtcp(bytes, 0, length)).toHaveLength(whole.indexOf(length));
			else expect(() => parseRtcp(bytes, 0, length)).toThrow(ProtocolError);
		}
	});
});

describe("writeRtcp", () => {
	test("what is written is read back", () => {
		const u32 = fc.nat(0xffff_ffff);
		const report = fc.record({
			...{ ssrc: u32, fractionLost: fc.nat(255), totalLost: fc.integer({ min: -0x800000, max: 0x7fffff }) },
			...{ highestSequence: u32, jitter: u32, lastSenderReport: u32, delaySinceLast: u32 },
		});
		const reports = fc.array(report, { maxLength: 31 });
		const text = fc.string({ unit: "binary-ascii", maxLength: 255 });
		const packet = fc.oneof(
			fc.record({
				...{ type: fc.constant("SR"), ssrc: u32, ntp: fc.record({ seconds: u32, fraction: u32 }) },
				...{ rtpTime: u32, packets: u32, octets: u32, reports },
			}),
			fc.record({ type: fc.constant("RR"), ssrc: u32, reports }),
			fc.record({
				type: fc.constant("SDES"),
				chunks: fc.array(fc.record({ ssrc: u32, cname: fc.option(text) }), { maxLength: 31 }),
			}),
			fc.record({ type: fc.constant("BYE"), ssrcs: fc.array(u32, { maxLength: 31 }), reason: text }),
		) as fc.Arbitrary<RtcpPacket>;
		fc.assert(
			fc.property(fc.array(packet, { maxLength: 5 }), (packets) => {
				const bytes = writeRtcp(packets);
				expect(bytes.length % 4).toBe(0);
				expect(parseRtcp(bytes)).toEqual(packets);
			}),
		);
	});

	test("refuses more entries than its count can tell", () => {
		const reports = new Array<ReportBlock>(32).fill(REPORT);
		expect(() => writeRtcp([{ type: "RR", ssrc: 1, reports }])).toThrow(RangeError);
	});
});
