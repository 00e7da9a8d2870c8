import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { packetsOf, type SourceUnit, unitsOf } from "../../test/support/packetize.ts";
import type { Codec } from "../codecs/codec.ts";
import { MIN_PAYLOAD_BYTES, type Packetizer } from "./access-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { describeCodec } from "./format.ts";
import { createPacketizer } from "./packetizer.ts";

const CODECS = {
	h264: { codec: { name: "H264", sps: null, pps: null }, clockRate: 90_000 },
	h265: { codec: { name: "H265", vps: null, sps: null, pps: null }, clockRate: 90_000 },
	aac: { codec: { name: "MPEG-4 Audio", config: bytesOfHex("1190") }, clockRate: 48_000 },
	opus: { codec: { name: "Opus", channels: 2 }, clockRate: 48_000 },
	g711: { codec: { name: "G711", law: "mu", sampleRate: 8_000, channels: 2 }, clockRate: 8_000 },
} satisfies Record<string, { codec: Codec; clockRate: number }>;
type Name = keyof typeof CODECS;

function pair(name: Name): {
	packetizer: Packetizer;
	depacketizer: NonNullable<ReturnType<typeof createDepacketizer>>;
} {
	const { codec, clockRate } = CODECS[name];
	const packetizer = createPacketizer(codec, clockRate);
	const depacketizer = createDepacketizer(codec, describeCodec(codec, clockRate) ?? { encoding: "", fmtp: "" });
	if (packetizer === null || depacketizer === null) throw new Error(`${name} cannot be packed`);
	return { packetizer, depacketizer };
}

/** A NAL unit of `size` bytes whose header says `type`, and that begins its picture if it is a slice. */
function nalOf(name: "h264" | "h265", type: number, size: number, fill: number): Uint8Array {
	const nal = new Uint8Array(size).fill(fill | 0x80);
	nal.set(name === "h264" ? [0x60 | type] : [type << 1, 1].slice(0, size));
	return nal;
}

/** Units of one slice among other NAL units, of sizes around those where the way of packing changes. */
function videoUnits(name: "h264" | "h265", max: number): fc.Arbitrary<SourceUnit[]> {
	const header = name === "h264" ? 1 : 2;
	const [slice, other] = name === "h264" ? [1, 6] : [1, 39];
	const around = [header, 3, max / 2, max - 5, max - 1, max, max + 1, max * 2 - 4, max * 2, max * 5].map(Math.floor);
	const size = fc
		.tuple(fc.constantFrom(...around), fc.integer({ min: -3, max: 3 }))
		.map(([n, d]) => Math.max(header, n + d));
	const others = fc.array(size, { maxLength: 5 });
	const unit = fc
		.tuple(others, size, fc.nat(0x7f))
		.map(([sizes, sliceSize, fill]) => [
			...sizes.map((n) => nalOf(name, other, n, fill)),
			nalOf(name, slice, Math.max(header + 1, sliceSize), fill),
		]);
	return fc
		.array(unit, { minLength: 1, maxLength: 8 })
		.map((units) => units.map((frames, i) => ({ frames, rtpTime: (0xffff_f000 + i * 3_000) % 2 ** 32 })));
}

describe.each(["h264", "h265"] as const)("%s", (name) => {
	const sizes = fc.constantFrom(MIN_PAYLOAD_BYTES, 100, 1_200);
	const source = sizes.chain((max) => fc.record({ max: fc.constant(max), units: videoUnits(name, max) }));

	test("units that are packed come out as they were, and no payload is too large", () => {
		fc.assert(
			fc.property(source, ({ max, units }) => {
				const { packetizer, depacketizer } = pair(name);
				const packets = packetsOf(packetizer, units, { maxPayloadBytes: max });
				expect(Math.max(...packets.map((packet) => packet.length - 12))).toBeLessThanOrEqual(max);
				expect(unitsOf(depacketizer, packets)).toEqual(units.map((unit) => ({ ...unit, randomAccess: false })));
				expect(depacketizer.dropped).toBe(0);
			}),
		);
	});

	test("whichever packet is lost, no unit that comes out lacks a slice or has a damaged one", () => {
		fc.assert(
			fc.property(source, fc.nat(), ({ max, units }, choice) => {
				const { packetizer, depacketizer } = pair(name);
				const packets = packetsOf(packetizer, units, { maxPayloadBytes: max });
				packets.splice(choice % packets.length, 1);
				const found = unitsOf(depacketizer, packets);
				// A marker, and so a whole unit, may be missed; never more than the unit and the one behind it.
				expect(found.length).toBeGreaterThanOrEqual(units.length - 2);
				for (const unit of found) {
					const original = units.find(({ rtpTime }) => rtpTime === unit.rtpTime)!.frames;
					// What comes before the slices may be lost: no picture is damaged by that.
					expect(unit.frames).toEqual(original.slice(original.length - unit.frames.length));
				}
			}),
		);
	});

	test("without markers a unit ends with the next time stamp", () => {
		fc.assert(
			fc.property(source, ({ max, units }) => {
				const { packetizer, depacketizer } = pair(name);
				const packets = packetsOf(packetizer, units, { maxPayloadBytes: max });
				for (const packet of packets) packet[1]! &= 0x7f;
				expect(unitsOf(depacketizer, packets)).toEqual(
					units.slice(0, -1).map((unit) => ({ ...unit, randomAccess: false })),
				);
			}),
			{ numRuns: 30 },
		);
	});

	test("fragments of one NAL unit have the same size but for the last", () => {
		const { packetizer } = pair(name);
		const sizes = packetizer([nalOf(name, 1, 5_000, 1)], 1_200).map(({ bytes }) => bytes.length);
		expect(new Set(sizes.slice(0, -1))).toEqual(new Set([1_200]));
	});

	test("small NAL units share a payload, and what is too short to be one is left out", () => {
		const { packetizer } = pair(name);
		const nals = [nalOf(name, 6, 20, 1), new Uint8Array(0), nalOf(name, 6, 30, 2), nalOf(name, 1, 40, 3)];
		expect(packetizer(nals, 1_200)).toHaveLength(1);
	});
});

describe("aac", () => {
	const frame = fc.oneof(
		fc.uint8Array({ minLength: 1, maxLength: 60 }),
		fc.constantFrom(195, 196, 197, 200, 400, 8_191).map((size) => new Uint8Array(size).fill(7)),
	);

	test("frames that are packed come out as they were, with their time", () => {
		fc.assert(
			fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), (frames) => {
				const { packetizer, depacketizer } = pair("aac");
				const packets = packetsOf(packetizer, [{ frames, rtpTime: 0 }], { maxPayloadBytes: 200 });
				expect(Math.max(...packets.map((packet) => packet.length - 12))).toBeLessThanOrEqual(200);
				let at = 0;
				for (const unit of unitsOf(depacketizer, packets)) {
					expect(unit).toEqual({
						rtpTime: at * 1_024,
						frames: frames.slice(at, at + unit.frames.length),
						randomAccess: true,
					});
					at += unit.frames.length;
				}
				expect(at).toBe(frames.length);
			}),
		);
	});

	test("a frame that 13 bits cannot tell the size of is left out, and those behind it keep their time", () => {
		const { packetizer } = pair("aac");
		const payloads = packetizer([new Uint8Array(8_192), new Uint8Array(0), new Uint8Array(10)], 1_200);
		expect(payloads.map(({ ticks, bytes }) => [ticks, bytes.length])).toEqual([[2_048, 14]]);
	});
});

test("opus: each packet is a payload of its own, with its time; what cannot be carried is left out", () => {
	const { packetizer, depacketizer } = pair("opus");
	const of20ms = Uint8Array.of(31 << 3, 1, 2, 3);
	const large = new Uint8Array(1_201).fill(31 << 3);
	const frames = [of20ms, Uint8Array.of((16 << 3) | 1, 9), large, new Uint8Array(0), of20ms];
	const units = unitsOf(depacketizer, packetsOf(packetizer, [{ frames, rtpTime: 100 }]));
	expect(units.map(({ rtpTime, frames: [first] }) => [rtpTime, first])).toEqual([
		[100, frames[0]],
		[1_060, frames[1]],
		[100 + 960 + 240 + 960, of20ms],
	]);
});

test("g711: long frames are divided between samples of all channels", () => {
	const { packetizer, depacketizer } = pair("g711");
	const frame = Uint8Array.from({ length: 320 }, (_, i) => i);
	const packets = packetsOf(packetizer, [{ frames: [frame, frame], rtpTime: 0 }], { maxPayloadBytes: 101 });
	const units = unitsOf(depacketizer, packets);
	expect(units.map(({ rtpTime }) => rtpTime)).toEqual([0, 50, 100, 150, 160, 210, 260, 310]);
	expect(Buffer.concat(units.flatMap(({ frames }) => frames))).toEqual(Buffer.concat([frame, frame]));
});

test("what is only passed through has neither", () => {
	expect(createPacketizer({ name: "Generic" }, 90_000)).toBeNull();
	expect(createDepacketizer({ name: "Generic" }, { encoding: "", fmtp: "" })).toBeNull();
});
