import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { packetsOf, unitsOf } from "../../test/support/packetize.ts";
import { rtpPacket } from "../../test/support/rtp-stream.ts";
import { MarkedUnitDepacketizer } from "./depacketize/marked-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { packetizeKlv } from "./packetize/klv.ts";
import { packetizeMpegTs } from "./packetize/mpegts.ts";

const LATM = {
	codec: { name: "MPEG-4 Audio", config: bytesOfHex("1190") },
	format: { encoding: "MP4A-LATM/48000/2", fmtp: "profile-level-id=1;cpresent=0;config=400023203fc0" },
} as const;

const klv = () => createDepacketizer({ name: "KLV" }, { encoding: "smpte336m/90000", fmtp: "" })!;
const latm = () => createDepacketizer(LATM.codec, LATM.format)!;

/** One item whose value has this length. */
function item(length: number, fill: number): Uint8Array {
	const bytes = new Uint8Array(20 + length).fill(fill);
	bytes.set(bytesOfHex("060e2b34020b01010e01030101000000"));
	bytes.set([0x83, length >> 16, length >> 8, length], 16); // BER, cut to bytes
	return bytes;
}

describe("KLV", () => {
	const units = fc
		.array(fc.tuple(fc.constantFrom(0, 10, 43, 44, 45, 500, 5_000), fc.nat(5)), { minLength: 1, maxLength: 6 })
		.map((all) => all.map(([length, fill], i) => ({ frames: [item(length, fill)], rtpTime: i * 3_000 })));

	test("that is packed comes out as it was, and no payload is too large", () => {
		fc.assert(
			fc.property(units, (source) => {
				const depacketizer = klv();
				const packets = packetsOf(packetizeKlv, source, { maxPayloadBytes: 64 });
				expect(Math.max(...packets.map((packet) => packet.length))).toBeLessThanOrEqual(64 + 12);
				expect(unitsOf(depacketizer, packets)).toEqual(source.map((unit) => ({ ...unit, randomAccess: true })));
				expect(depacketizer.dropped).toBe(0);
			}),
		);
	});

	test("of which any packet is lost loses one unit, and never gives a part", () => {
		fc.assert(
			fc.property(units, fc.nat(), (source, choice) => {
				const packets = packetsOf(packetizeKlv, source, { maxPayloadBytes: 64 });
				packets.splice(choice % packets.length, 1);
				const found = unitsOf(klv(), packets);
				expect(found).toHaveLength(source.length - 1);
				for (const { rtpTime, frames } of found) expect(frames).toEqual(source[rtpTime / 3_000]?.frames);
			}),
		);
	});

	test("of several frames is one unit of several items", () => {
		const frames = [item(5, 1), item(60, 2)];
		const packets = packetsOf(packetizeKlv, [{ frames, rtpTime: 9 }], { maxPayloadBytes: 64 });
		expect(unitsOf(klv(), packets)).toEqual([
			{ rtpTime: 9, frames: [Uint8Array.from(Buffer.concat(frames))], randomAccess: true },
		]);
		expect(packetizeKlv([], 64)).toEqual([]);
	});
});

describe("LATM", () => {
	const part = (hex: string, sequence: number, timestamp: number, marker: boolean) =>
		rtpPacket({ payload: bytesOfHex(hex), sequence, timestamp, marker });

	test("is joined up to the marker", () => {
		const depacketizer = latm();
		const packets = [part("04aabb", 65_535, 9, false), part("ccdd", 0, 9, true), part("01ee01ff", 1, 1_033, true)];
		expect(unitsOf(depacketizer, packets)).toEqual([
			{ rtpTime: 9, frames: [bytesOfHex("aabbccdd")], randomAccess: true },
			{ rtpTime: 1_033, frames: [bytesOfHex("ee"), bytesOfHex("ff")], randomAccess: true },
		]);
		expect(depacketizer.dropped).toBe(0);
	});

	test("whose end is missing gives nothing, and what follows does", () => {
		const depacketizer = latm();
		const packets = [part("04aabb", 1, 9, false), part("01ee", 3, 1_033, true), part("04aa", 4, 2_057, false)];
		expect(unitsOf(depacketizer, packets).map(({ rtpTime }) => rtpTime)).toEqual([1_033]);
		expect(unitsOf(depacketizer, [part("01ee", 5, 3_081, true)]).map(({ rtpTime }) => rtpTime)).toEqual([3_081]);
		expect(depacketizer.dropped).toBe(2);
	});

	test("of which a middle part is missing gives nothing, though its rest could be read", () => {
		const depacketizer = latm();
		const packets = [part("04aa", 1, 9, false), part("01bb", 3, 9, false), part("01cc", 4, 9, true)];
		expect(unitsOf(depacketizer, packets)).toEqual([]);
		expect(depacketizer.dropped).toBe(1);
		expect(unitsOf(depacketizer, [part("01dd", 5, 9, true)])).toHaveLength(1);
	});

	test("in band may tell its layout with each element", () => {
		const fmtp = "cpresent=1; config=400023203fc0";
		const depacketizer = createDepacketizer(LATM.codec, { ...LATM.format, fmtp })!;
		// useSameStreamMux, then a frame of two bytes: a bit further than it would be otherwise.
		expect(unitsOf(depacketizer, [part("815555", 1, 9, true)])).toEqual([]);
		expect(unitsOf(depacketizer, [part("81555500", 2, 9, true)])[0]?.frames).toEqual([bytesOfHex("aaaa")]);
	});

	test("of a layout that cannot be read is not taken apart", () => {
		expect(createDepacketizer(LATM.codec, { ...LATM.format, fmtp: "cpresent=1" })).toBeNull();
	});
});

test("units without end are given up at the largest size, up to their marker", () => {
	const depacketizer = new MarkedUnitDepacketizer({ maxBytes: 100, framesOf: (unit) => [unit] });
	const packet = (sequence: number, marker: boolean) =>
		rtpPacket({ payload: new Uint8Array(60), sequence, timestamp: 9, marker });
	expect(unitsOf(depacketizer, [packet(1, false), packet(2, false), packet(3, false), packet(4, true)])).toEqual([]);
	expect(depacketizer.dropped).toBe(1);
	expect(unitsOf(depacketizer, [packet(5, true)])).toHaveLength(1);
});

describe("a transport stream", () => {
	const mpegTs = () => createDepacketizer({ name: "MPEG-TS" }, { encoding: "MP2T/90000", fmtp: "" })!;
	const packets = Array.from({ length: 10 }, (_, i) => new Uint8Array(188).fill(i).fill(0x47, 0, 1));

	test("is packed seven packets at a time", () => {
		const sent = packetsOf(packetizeMpegTs, [{ frames: packets, rtpTime: 9 }], { maxPayloadBytes: 1_400 });
		const units = unitsOf(mpegTs(), sent);
		expect(units.map(({ frames, rtpTime }) => [rtpTime, frames.length])).toEqual([
			[9, 7],
			[9, 3],
		]);
		expect(units.flatMap(({ frames }) => frames)).toEqual(packets);
	});

	test("may come as frames of several packets, of which what is not whole is left out", () => {
		const several = Uint8Array.from(Buffer.concat(packets));
		expect(packetizeMpegTs([several, several.subarray(1), new Uint8Array(188)], 1_316)).toHaveLength(2);
		expect(packetizeMpegTs(packets, 187)).toEqual([]);
	});

	test.each([
		["cut", (payload: Uint8Array) => payload.subarray(0, 375)],
		["longer", (payload: Uint8Array) => Uint8Array.of(...payload, 0x47)],
		["out of step", (payload: Uint8Array) => payload.with(188, 0x48)],
	])("that is %s is dropped", (_, damage) => {
		const depacketizer = mpegTs();
		const payload = damage(Uint8Array.from(Buffer.concat(packets.slice(0, 2))));
		expect(unitsOf(depacketizer, [rtpPacket({ payload, sequence: 1, timestamp: 9 })])).toEqual([]);
		expect(depacketizer.dropped).toBe(1);
	});
});
