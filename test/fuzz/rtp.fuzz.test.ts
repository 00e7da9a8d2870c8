import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { MAX_ACCESS_UNIT_BYTES } from "../../media-node/rtp/access-unit.ts";
import { createDepacketizer } from "../../media-node/rtp/depacketizer.ts";
import { describeCodec, formatOf } from "../../media-node/rtp/format.ts";
import { createPacketizer } from "../../media-node/rtp/packetizer.ts";
import { startsRandomAccess } from "../../media-node/rtp/random-access.ts";
import { ReorderBuffer } from "../../media-node/rtp/reorder.ts";
import { parseRtcp } from "../../media-node/rtp/rtcp-packet.ts";
import { isRtcp, isRtp, newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { bytesOfHex } from "../support/hex.ts";
import { mutated } from "../support/mutate.ts";
import { packetsOf } from "../support/packetize.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const HBR = "mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3";
const SOURCES: readonly { codec: Codec; clockRate: number; fmtp: string; frames: readonly Uint8Array[] }[] = [
	{
		codec: { name: "H264", sps: null, pps: null },
		...{ clockRate: 90_000, fmtp: "" },
		frames: [bytesOfHex("67640028"), bytesOfHex("060605c480"), new Uint8Array(300).fill(0x65), bytesOfHex("4188")],
	},
	{
		codec: { name: "H265", vps: null, sps: null, pps: null },
		...{ clockRate: 90_000, fmtp: "" },
		frames: [bytesOfHex("40010c"), bytesOfHex("420101"), new Uint8Array(300).fill(0x26), bytesOfHex("020180")],
	},
	{
		codec: { name: "H265", vps: null, sps: null, pps: null },
		...{ clockRate: 90_000, fmtp: "sprop-max-don-diff=2" },
		frames: [bytesOfHex("40010c"), new Uint8Array(300).fill(0x26), bytesOfHex("020180")],
	},
	{
		codec: { name: "MPEG-4 Audio", config: bytesOfHex("1190") },
		...{ clockRate: 48_000, fmtp: HBR },
		frames: [new Uint8Array(30), new Uint8Array(40), new Uint8Array(500)],
	},
	{
		codec: { name: "Opus", channels: 2 },
		...{ clockRate: 48_000, fmtp: "" },
		frames: [bytesOfHex("f801"), bytesOfHex("ff06")],
	},
];

test.each(SOURCES)("damaged packets of $codec.name $fmtp throw nothing, and give units within bounds", (source) => {
	const { codec, clockRate, fmtp, frames } = source;
	const packetizer = createPacketizer(codec, clockRate)!;
	const good = packetsOf(
		packetizer,
		[0, 3_000, 6_000].map((rtpTime) => ({ frames, rtpTime })),
		{ maxPayloadBytes: 100 },
	);
	const packet = newRtpPacket();
	fc.assert(
		fc.property(fc.array(mutated(good, 4), { maxLength: 20 }), (packets) => {
			const depacketizer = createDepacketizer(codec, { encoding: "", fmtp })!;
			let received = 0;
			let given = 0;
			for (const bytes of [...packets, ...good]) {
				if (!readRtpPacket(packet, bytes, 0, bytes.length)) continue;
				received += bytes.length;
				startsRandomAccess(codec.name, bytes, packet.payloadOffset, packet.payloadLength);
				for (const unit of depacketizer.push(bytes, packet)) {
					expect(unit.frames.length).toBeGreaterThan(0);
					for (const frame of unit.frames) {
						expect(frame.length).toBeGreaterThan(0);
						given += frame.length;
					}
				}
			}
			// Nothing is given twice, and a header of a fragment is all that may be added.
			expect(given).toBeLessThanOrEqual(Math.min(received, MAX_ACCESS_UNIT_BYTES));
		}),
		{ seed, numRuns: 2_000 },
	);
});

test.each(SOURCES)(
	"every truncation of a packet of $codec.name $fmtp is left out or read, and throws nothing",
	(source) => {
		const { codec, clockRate, fmtp, frames } = source;
		const packet = newRtpPacket();
		for (const whole of packetsOf(createPacketizer(codec, clockRate)!, [{ frames, rtpTime: 0 }], {
			maxPayloadBytes: 100,
		})) {
			for (let length = 0; length < whole.length; length++) {
				const cut = whole.slice(0, length);
				if (!readRtpPacket(packet, cut, 0, length)) continue;
				startsRandomAccess(codec.name, cut, packet.payloadOffset, packet.payloadLength);
				for (const unit of createDepacketizer(codec, { encoding: "", fmtp })!.push(cut, packet)) {
					for (const frame of unit.frames) expect(frame.length).toBeLessThan(length);
				}
			}
		}
	},
);

test("RTCP is read or refused with a ProtocolError", () => {
	const seeds = [
		"81c8000c01020304e00000008000000000015f9000000064000010000a0b0c0d40fffffe0001000500000021b705200000054000",
		"81ca000401020304010361626306027a7a000000 81cb00020102030403627965",
		"80c9000100000007 80cc0002010203046e616d65 81ce00020000000100000002",
	].map(bytesOfHex);
	fc.assert(
		fc.property(mutated(seeds), (bytes) => {
			isRtp(bytes);
			isRtcp(bytes);
			try {
				for (const packet of parseRtcp(bytes)) expect(["SR", "RR", "SDES", "BYE"]).toContain(packet.type);
			} catch (error) {
				expect(error).toBeInstanceOf(ProtocolError);
			}
		}),
		{ seed, numRuns: 10_000 },
	);
});

test("any media description is a format that can be described again, or none", () => {
	const names = ["H264", "h265", "opus", "PCMA", "PCMU", "mpeg4-generic", "VP9"];
	const keys = [
		"sprop-parameter-sets",
		"sprop-sps",
		"config",
		"sizelength",
		"indexlength",
		"packetization-mode",
		"=",
		";",
	];
	const values = ["Z2QAKA==", "1190", "2B118800", "13", "3", "999999999999", "-1", "AAAA,BBBB", "\0", "é"];
	const rtpmap = fc.oneof(
		fc.string(),
		fc
			.tuple(fc.constantFrom(...names), fc.constantFrom("90000", "48000", "8000", "0"), fc.constantFrom("", "/1", "/2"))
			.map(([name, rate, channels]) => `${name}/${rate}${channels}`),
	);
	const parameter = fc.tuple(fc.constantFrom(...keys), fc.oneof(fc.constantFrom(...values), fc.string()));
	const fmtp = fc
		.array(
			parameter.map(([key, value]) => `${key}=${value}`),
			{ maxLength: 8 },
		)
		.map((all) => all.join(";"));
	fc.assert(
		fc.property(fc.nat(127), fc.option(rtpmap), fmtp, (payloadType, map, parameters) => {
			const format = formatOf({ payloadType, rtpmap: map, fmtp: parameters });
			if (format === null) return;
			expect(format.clockRate).toBeGreaterThan(0);
			const described = describeCodec(format.codec, format.clockRate);
			expect(described === null).toBe(format.codec.name === "Generic");
			createDepacketizer(format.codec, { encoding: format.encoding, fmtp: parameters });
			createPacketizer(format.codec, format.clockRate);
		}),
		{ seed, numRuns: 10_000 },
	);
});

test("whatever packets come to the reorder buffer, it gives each at most once, and holds no more than its size", () => {
	const step = fc.oneof(
		{ weight: 8, arbitrary: fc.integer({ min: -20, max: 40 }) },
		{ weight: 1, arbitrary: fc.nat(0xffff) },
	);
	fc.assert(
		fc.property(fc.array(fc.tuple(step, fc.nat(60)), { maxLength: 200 }), (steps) => {
			const buffer = new ReorderBuffer({ maxPackets: 32, maxDelayMs: 100 });
			const given = new Set<Uint8Array>();
			let sequence = 0;
			let nowMs = 0;
			let pushed = 0;
			for (const [move, passed] of steps) {
				sequence = (sequence + move) & 0xffff;
				nowMs += passed;
				const bytes = new Uint8Array(12);
				bytes[2] = sequence >> 8;
				bytes[3] = sequence;
				pushed++;
				for (const out of [...buffer.push(bytes, nowMs), ...buffer.expire(nowMs)]) {
					expect(given.has(out)).toBe(false);
					given.add(out);
				}
				const held = pushed - given.size - buffer.late - buffer.duplicates;
				// One more may be of a source that perhaps begins anew.
				expect(held).toBeGreaterThanOrEqual(0);
				expect(held).toBeLessThanOrEqual(33);
			}
		}),
		{ seed, numRuns: 2_000 },
	);
});
