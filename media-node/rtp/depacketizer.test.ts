import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { unitsOf } from "../../test/support/packetize.ts";
import { rtpPacket } from "../../test/support/rtp-stream.ts";
import type { Codec } from "../codecs/codec.ts";
import { type Depacketizer, MAX_ACCESS_UNIT_BYTES, MAX_ACCESS_UNIT_NALS } from "./access-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { newRtpPacket, readRtpPacket } from "./rtp-packet.ts";

const H264: Codec = { name: "H264", sps: null, pps: null };
const H265: Codec = { name: "H265", vps: null, sps: null, pps: null };
const AAC: Codec = { name: "MPEG-4 Audio", config: bytesOfHex("1190") };
const HBR = "sizelength=13; indexlength=3; indexdeltalength=3";

/** A packet as `sequence timestamp [m] payload`, the payload in hexadecimal digits. */
function packets(...lines: readonly string[]): Uint8Array[] {
	return lines.map((line) => {
		const [sequence, timestamp, ...rest] = line.split(" ");
		const marker = rest[0] === "m";
		const payload = bytesOfHex(rest.slice(marker ? 1 : 0).join(""));
		return rtpPacket({ sequence: Number(sequence), timestamp: Number(timestamp), marker, payload });
	});
}

/** What comes out of packets: each unit as `timestamp[*]: frame frame`, with a star where a decoder can begin. */
function run(codec: Codec, lines: readonly string[], fmtp = "") {
	const depacketizer = createDepacketizer(codec, { encoding: "", fmtp }) as Depacketizer;
	const units = unitsOf(depacketizer, packets(...lines)).map(({ rtpTime, frames, randomAccess }) => {
		const hex = frames.map((frame) => Buffer.from(frame).toString("hex"));
		return `${rtpTime}${randomAccess ? "*" : ""}: ${hex.join(" ")}`;
	});
	return { units, dropped: depacketizer.dropped };
}

const NO_FORMAT = { encoding: "", fmtp: "" };

describe("H.264", () => {
	test.each<[string, string[], string[], number]>([
		["a single NAL unit", ["1 10 m 418811"], ["10: 418811"], 0],
		["several NAL units of one time stamp", ["1 10 6742", "2 10 68ce", "3 10 m 658811"], ["10*: 6742 68ce 658811"], 0],
		["a STAP-A", ["1 10 m 78 0002 6742 0002 68ce 0003 658811"], ["10*: 6742 68ce 658811"], 0],
		["a STAP-A that is padded", ["1 10 m 78 0003 658811 0000 00"], ["10*: 658811"], 0],
		["a FU-A", ["1 10 7c85 88aa", "2 10 7c05 bb", "3 10 m 7c45 cc"], ["10*: 6588aabbcc"], 0],
		["a FU-A of one packet", ["1 10 m 7cc5 88aa"], ["10*: 6588aa"], 0],
		["two units of one packet each", ["1 10 m 418811", "2 20 m 418822"], ["10: 418811", "20: 418822"], 0],
		[
			"a unit without marker",
			["1 10 418811", "2 20 418822", "3 30 m 418833"],
			["10: 418811", "20: 418822", "30: 418833"],
			0,
		],
		[
			"parameter sets with a marker of their own",
			["1 10 m 6742", "2 10 m 68ce", "3 10 m 658811"],
			["10*: 6742 68ce 658811"],
			0,
		],
		[
			"parameter sets with a time of their own",
			["1 9 m 6742", "2 9 m 68ce", "3 10 m 658811"],
			["10*: 6742 68ce 658811"],
			0,
		],
		["a recovery point", ["1 10 060601c480", "2 10 m 418811"], ["10*: 060601c480 418811"], 0],
		["a packet without payload", ["1 10 418811", "2 10", "3 10 m 411122"], ["10: 418811 411122"], 0],
		["NAL units of a type that is undefined", ["1 10 1f01", "2 10 m 418811"], ["10: 418811"], 0],
		["sequence numbers over the wrap", ["65535 10 418811", "0 10 m 4111"], ["10: 418811 4111"], 0],

		["a gap within a unit", ["1 10 418811", "3 10 m 4111", "4 20 m 418822"], ["20: 418822"], 1],
		["a gap within a FU-A", ["1 10 7c8588", "3 10 m 7c45cc", "4 20 m 418822"], ["20: 418822"], 1],
		["a lost marker", ["1 10 418811", "3 20 m 418822"], ["20: 418822"], 1],
		["a lost beginning", ["1 10 m 418811", "3 20 m 4111", "4 30 m 418833"], ["10: 418811", "30: 418833"], 1],
		["a lost beginning before filler", ["1 10 m 418811", "3 20 0cff", "4 20 m 4111"], ["10: 418811"], 1],
		["a lost unit", ["1 10 m 418811", "3 30 m 418833"], ["10: 418811", "30: 418833"], 0],
		["a start in mid-unit", ["1 10 m 4111", "2 20 m 418822"], ["20: 418822"], 1],
		["a start in mid-fragment", ["1 10 7c05aa", "2 10 m 7c45bb", "3 20 m 418822"], ["20: 418822"], 1],
		["a FU-A without end", ["1 10 m 7c8588", "2 20 m 418822"], ["20: 418822"], 1],
		["a FU-A without end and marker", ["1 10 7c8588", "2 20 m 418822"], ["20: 418822"], 1],
		["a FU-A that begins twice", ["1 10 7c8588", "2 10 7c8588", "3 10 m 7c45", "4 20 m 418822"], ["20: 418822"], 1],
		["a NAL unit within a FU-A", ["1 10 7c8588", "2 10 418811", "3 10 m 7c45", "4 20 m 418822"], ["20: 418822"], 1],
		["a FU-A without header", ["1 10 m 7c", "2 20 m 418822"], ["20: 418822"], 1],
		["a STAP-A that is cut", ["1 10 m 78 0004 658811", "2 20 m 418822"], ["20: 418822"], 1],
		["a STAP-A with a byte too many", ["1 10 m 78 0003 658811 01", "2 20 m 418822"], ["20: 418822"], 1],
		["interleaving", ["1 10 m 79 0001 0003 658811", "2 20 m 418822"], ["20: 418822"], 1],
	])("%s", (_, lines, units, dropped) => {
		expect(run(H264, lines)).toEqual({ units, dropped });
	});

	test("frames of a unit hold while the packet that ended it begins another", () => {
		const depacketizer = createDepacketizer(H264, NO_FORMAT) as Depacketizer;
		const header = newRtpPacket();
		const units = packets("1 10 7c8188aa", "2 10 7c41bb", "3 20 7c8188cc", "4 20 m 7c41dd").flatMap((packet) => {
			readRtpPacket(header, packet, 0, packet.length);
			return depacketizer.push(packet, header);
		});
		expect(units.map(({ frames }) => frames.map((frame) => Buffer.from(frame).toString("hex")))).toEqual([
			["6188aabb"],
			["6188ccdd"],
		]);
	});

	test("a unit of the largest size passes, and a byte more does not", () => {
		for (const extra of [0, 1]) {
			const depacketizer = createDepacketizer(H264, NO_FORMAT) as Depacketizer;
			const rest = MAX_ACCESS_UNIT_BYTES - 2 - 60_000 * 139 + extra;
			const fragments = Array.from({ length: 139 }, (_, i) => {
				const payload = new Uint8Array(60_002).fill(0x88);
				payload.set([0x7c, i === 0 ? 0x85 : 0x05]);
				return rtpPacket({ sequence: i, timestamp: 10, payload });
			});
			const last = new Uint8Array(rest + 3).fill(0x88);
			last.set([0x7c, 0x45]);
			fragments.push(rtpPacket({ sequence: 139, timestamp: 10, marker: true, payload: last }));
			const units = unitsOf(depacketizer, fragments);
			expect(units.map(({ frames }) => frames[0]?.length)).toEqual(extra === 0 ? [MAX_ACCESS_UNIT_BYTES] : []);
			expect(depacketizer.dropped).toBe(extra);
		}
	});

	test("a unit of the most NAL units passes, and one more does not", () => {
		for (const extra of [0, 1]) {
			const lines = Array.from({ length: MAX_ACCESS_UNIT_NALS + extra - 1 }, (_, i) => `${i & 0xffff} 10 4188`);
			const { units, dropped } = run(H264, [...lines, `${lines.length} 10 m 4188`]);
			expect([units.length, dropped]).toEqual([1 - extra, extra]);
		}
	});

	test("parameter sets without end are bounded as well", () => {
		const lines = Array.from({ length: MAX_ACCESS_UNIT_NALS * 2 + 10 }, (_, i) => `${i & 0xffff} ${i} m 6742`);
		const { units, dropped } = run(H264, [...lines, `${lines.length} 1 m 658811`]);
		expect([units.length, dropped]).toEqual([1, 2]);
	});
});

describe("H.265", () => {
	test.each<[string, string[], string[], number, string?]>([
		["a single NAL unit", ["1 10 m 020180aa"], ["10: 020180aa"], 0],
		["an AP", ["1 10 m 6001 0003 4001aa 0003 4201bb 0004 260180cc"], ["10*: 4001aa 4201bb 260180cc"], 0],
		["a FU", ["1 10 620193 80aa", "2 10 620113 bb", "3 10 m 620153 cc"], ["10*: 260180aabbcc"], 0],
		["a layer and a temporal id", ["1 10 630b81 80aa", "2 10 m 630b41 bb"], ["10: 030b80aabb"], 0],
		["an undefined type", ["1 10 7e01aa", "2 10 m 020180aa"], ["10: 020180aa"], 0],
		["a single NAL unit with its order", ["1 10 m 0201 0007 80aa"], ["10: 020180aa"], 0, "sprop-max-don-diff=1"],
		[
			"an AP with its orders",
			["1 10 m 6001 0007 0003 4001aa 00 0004 260180cc"],
			["10*: 4001aa 260180cc"],
			0,
			"sprop-max-don-diff=1",
		],
		["a FU with its order", ["1 10 620193 0007 80", "2 10 m 620153 cc"], ["10*: 260180cc"], 0, "sprop-max-don-diff=1"],

		[
			"a lost beginning",
			["1 10 m 020180aa", "3 20 m 020100aa", "4 30 m 020180aa"],
			["10: 020180aa", "30: 020180aa"],
			1,
		],
		["an AP that is cut", ["1 10 m 6001 0003 4001", "2 20 m 020180aa"], ["20: 020180aa"], 1],
		["an AP with a NAL unit that has no header", ["1 10 m 6001 0001 40", "2 20 m 020180aa"], ["20: 020180aa"], 1],
		["a FU without header", ["1 10 m 6201", "2 20 m 020180aa"], ["20: 020180aa"], 1],
		["a FU without order", ["1 10 m 620193 00", "2 20 m 0201 0007 80"], ["20: 020180"], 1, "sprop-max-don-diff=1"],
		["a NAL unit without header", ["1 10 m 02", "2 20 m 020180aa"], ["20: 020180aa"], 1],
		["a PACI", ["1 10 m 6401 0000 aa", "2 20 m 020180aa"], ["20: 020180aa"], 1],
	])("%s", (_, lines, units, dropped, fmtp = "") => {
		expect(run(H265, lines, fmtp)).toEqual({ units, dropped });
	});
});

describe("AAC", () => {
	// An AU header of 13 bits of size and 3 of index: the size times 8.
	test.each<[string, string[], string[], number]>([
		["one frame", ["1 10 m 0010 0018 aabbcc"], ["10*: aabbcc"], 0],
		["two frames", ["1 10 m 0020 0010 0008 aabbcc"], ["10*: aabb cc"], 0],
		["fragments", ["1 10 0010 0028 aabb", "2 10 0010 0028 ccdd", "3 10 m 0010 0028 ee"], ["10*: aabbccddee"], 0],
		["no payload", ["1 10", "2 10 m 0010 0008 aa"], ["10*: aa"], 0],

		["a lost fragment", ["1 10 0010 0028 aabb", "3 10 m 0010 0028 ee", "4 20 m 0010 0008 aa"], ["20*: aa"], 2],
		["a lost last fragment", ["1 10 0010 0028 aabb", "3 20 m 0010 0008 aa"], ["20*: aa"], 1],
		["a marker before the last fragment", ["1 10 m 0010 0028 aabb", "2 20 m 0010 0008 aa"], ["20*: aa"], 1],
		["fragments that are too long", ["1 10 0010 0018 aabb", "2 10 m 0010 0018 ccdd"], [], 1],
		["fragments of two sizes", ["1 10 0010 0028 aabb", "2 10 m 0010 0020 ccdd"], [], 1],
		["frames longer than the payload", ["1 10 m 0020 0010 0010 aabbcc"], [], 1],
		["frames shorter than the payload", ["1 10 m 0010 0010 aabbcc"], [], 1],
		["an index", ["1 10 m 0010 0019 aabbcc"], [], 1],
		["a frame of no size", ["1 10 m 0010 0000 aa"], [], 1],
		["headers beyond the payload", ["1 10 m 0100 0010 aabb"], [], 1],
		["headers that are cut", ["1 10 m 0018 0010 00 aabb"], [], 1],
		["no headers", ["1 10 m 0000 aabb"], [], 1],
		["a byte", ["1 10 m 00"], [], 1],
	])("%s", (_, lines, units, dropped) => {
		expect(run(AAC, lines, HBR)).toEqual({ units, dropped });
	});

	test("reads headers of other sizes", () => {
		const lbr = "mode=AAC-lbr; sizelength=6; indexlength=2; indexdeltalength=2";
		expect(run(AAC, ["1 10 m 0010 0804 aabb cc"], lbr).units).toEqual(["10*: aabb cc"]);
	});

	test.each(["", "sizelength=13; constantsize=10", "sizelength=17", "sizelength=13; ctsdeltalength=4"])(
		"does not guess with parameters %j",
		(fmtp) => {
			expect(createDepacketizer(AAC, { encoding: "", fmtp })).toBeNull();
		},
	);
});

test("a malformed Opus packet, and half a sample of G.711, are dropped", () => {
	expect(run({ name: "Opus", channels: 1 }, ["1 10 f8aa", "2 20 ff00", "3 30", "4 40 f8"])).toEqual({
		...{ units: ["10*: f8aa", "40*: f8"], dropped: 1 },
	});
	const stereo: Codec = { name: "G711", law: "a", sampleRate: 8_000, channels: 2 };
	expect(run(stereo, ["1 10 0102", "2 11 03"])).toEqual({ units: ["10*: 0102"], dropped: 1 });
});
