import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { packetsOf, unitsOf } from "../../test/support/packetize.ts";
import { rtpPacket } from "../../test/support/rtp-stream.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Depacketizer, Packetizer } from "./access-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { describeCodec } from "./format.ts";
import { createPacketizer } from "./packetizer.ts";

const MP3: Codec = { name: "MPEG-1/2 Audio" };
const AC3: Codec = { name: "AC3", sampleRate: 48_000, channels: 2 };

function pair(codec: Codec, clockRate: number): { packetizer: Packetizer; depacketizer: Depacketizer } {
	const packetizer = createPacketizer(codec, clockRate);
	const depacketizer = createDepacketizer(codec, describeCodec(codec, clockRate)!);
	if (packetizer === null || depacketizer === null) throw new Error(`${codec.name} cannot be packed`);
	return { packetizer, depacketizer };
}

/** A frame that begins like this, and is as long as it says. */
function frameOf(header: string, length: number, fill: number): Uint8Array {
	const frame = new Uint8Array(length).fill(fill);
	frame.set(bytesOfHex(header));
	return frame;
}

/** At 48 kHz: 32, 64 and 320 kbit/s. */
const mp3Frames = [...[frameOf("fffb1464", 96, 1), frameOf("fffb5464", 192, 2), frameOf("fffbe464", 960, 3)]] as const;
/** At 48 kHz: 32, 64 and 640 kbit/s. */
const ac3Frames = [
	...[frameOf("0b770000004040", 128, 1), frameOf("0b770000084040", 256, 2), frameOf("0b770000244040", 2_560, 3)],
] as const;

describe.each([
	{ name: "MP3", codec: MP3, clockRate: 90_000, frameTicks: 2_160, all: mp3Frames, headerBytes: 4 },
	{ name: "AC-3", codec: AC3, clockRate: 48_000, frameTicks: 1_536, all: ac3Frames, headerBytes: 2 },
])("$name", ({ codec, clockRate, frameTicks, all, headerBytes }) => {
	const frames = fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 20 });
	const max = fc.constantFrom(64, 97, 200, 1_000, 1_200);

	test("frames that are packed come out as they were, with their time", () => {
		fc.assert(
			fc.property(frames, max, (source, maxPayloadBytes) => {
				const { packetizer, depacketizer } = pair(codec, clockRate);
				const packets = packetsOf(packetizer, [{ frames: source, rtpTime: 0 }], { maxPayloadBytes });
				expect(Math.max(...packets.map((packet) => packet.length - 12))).toBeLessThanOrEqual(maxPayloadBytes);
				let at = 0;
				for (const { rtpTime, frames: found } of unitsOf(depacketizer, packets)) {
					expect(rtpTime).toBe(at * frameTicks);
					expect(found).toEqual(source.slice(at, at + found.length));
					at += found.length;
				}
				expect(at).toBe(source.length);
				expect(depacketizer.dropped).toBe(0);
			}),
		);
	});

	test("whichever packet is lost, only whole frames come out, and only those of its packet are missing", () => {
		fc.assert(
			fc.property(frames, fc.nat(), (source, choice) => {
				const { packetizer, depacketizer } = pair(codec, clockRate);
				const packets = packetsOf(
					packetizer,
					source.map((frame, i) => ({ frames: [frame], rtpTime: i * frameTicks })),
					{
						maxPayloadBytes: 200,
					},
				);
				packets.splice(choice % packets.length, 1);
				const units = unitsOf(depacketizer, packets);
				expect(units.length).toBe(source.length - 1);
				for (const unit of units) expect(unit.frames).toEqual([source[unit.rtpTime / frameTicks]]);
			}),
		);
	});

	test("a frame that is not as long as it says is left out, and those behind it keep their time", () => {
		const { packetizer } = pair(codec, clockRate);
		const [small] = all;
		const payloads = packetizer([small, small.subarray(1), small.slice(0, 90), new Uint8Array(0), small], 1_200);
		expect(payloads.map(({ ticks, bytes }) => [ticks, bytes.length])).toEqual([
			[0, small.length + headerBytes],
			[frameTicks * 2, small.length + headerBytes],
		]);
	});

	test("of a payload that is damaged nothing comes out", () => {
		const { packetizer, depacketizer } = pair(codec, clockRate);
		const [payload] = packetizer([all[0], all[1]], 1_200);
		const good = payload!.bytes;
		const cuts = Array.from(good.keys()).filter((length) => length !== 0 && length !== headerBytes + all[0].length);
		for (const length of cuts) {
			// Other time stamps, so that what looks like the first fragment is given up.
			const packet = rtpPacket({ payload: good.subarray(0, length), sequence: length, timestamp: length });
			expect(unitsOf(depacketizer, [packet])).toEqual([]);
		}
		expect(depacketizer.dropped).toBeGreaterThan(0);
		expect(unitsOf(depacketizer, [rtpPacket({ payload: good, sequence: 5, timestamp: 5_000 })])).toHaveLength(1);
	});

	test("a packet without payload is passed over", () => {
		const { depacketizer } = pair(codec, clockRate);
		expect(unitsOf(depacketizer, [rtpPacket({ payload: new Uint8Array(0), sequence: 1, timestamp: 9 })])).toEqual([]);
		expect(depacketizer.dropped).toBe(0);
	});
});

test("fragments of AC-3 tell how many there are, and whether the first has most of its frame", () => {
	const { packetizer } = pair(AC3, 48_000);
	const heads = (max: number) =>
		packetizer([ac3Frames[2]], max).map(({ bytes, marker }) => [...bytes.slice(0, 2), marker]);
	// RFC 4184 §4.1.1: 5/8 of 2,560 bytes are 1,600.
	expect(heads(1_601)).toEqual([
		[2, 2, false],
		[3, 2, true],
	]);
	expect(heads(1_602)).toEqual([
		[1, 2, false],
		[3, 2, true],
	]);
	expect(packetizer([ac3Frames[0], ac3Frames[1]], 1_200)).toMatchObject([{ bytes: { 0: 0, 1: 2 }, marker: true }]);
});

test("fragments of MP3 tell where they belong", () => {
	const { packetizer } = pair(MP3, 90_000);
	const payloads = packetizer([mp3Frames[2]], 404);
	expect(payloads.map(({ bytes }) => Buffer.from(bytes.slice(0, 4)).toString("hex"))).toEqual([
		...["00000000", "00000190", "00000320"],
	]);
});

test("times that are no whole ticks do not add up their errors", () => {
	const { packetizer } = pair(MP3, 90_000);
	const frame = frameOf("fffb9064", 417, 1);
	const ticks = packetizer(
		Array.from({ length: 100 }, () => frame),
		500,
	).map((payload) => payload.ticks);
	expect(ticks[99]).toBe(Math.round((99 * 1_152 * 90_000) / 44_100));
});

describe("samples", () => {
	test.each<[string, Codec, number, number, number]>([
		["G.722 in stereo", { name: "G722", channels: 2 }, 8_000, 98, 49],
		["G.726 of 16 kbit/s", { name: "G726", bitRate: 16, packing: "rfc3551" }, 8_000, 99, 396],
		["G.726 of 24 kbit/s", { name: "G726", bitRate: 24, packing: "aal2" }, 8_000, 99, 264],
		["G.726 of 32 kbit/s", { name: "G726", bitRate: 32, packing: "rfc3551" }, 8_000, 99, 198],
		["G.726 of 40 kbit/s", { name: "G726", bitRate: 40, packing: "rfc3551" }, 8_000, 95, 152],
		["linear PCM of 8 bits", { name: "LPCM", bitDepth: 8, sampleRate: 8_000, channels: 1 }, 8_000, 99, 99],
		["linear PCM of 16 bits", { name: "LPCM", bitDepth: 16, sampleRate: 44_100, channels: 2 }, 44_100, 96, 24],
		["linear PCM of 24 bits", { name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 6 }, 48_000, 90, 5],
	])("of %s are divided only where all channels begin", (_, codec, clockRate, room, ticks) => {
		const { packetizer, depacketizer } = pair(codec, clockRate);
		const frame = Uint8Array.from({ length: room * 2 }, (_byte, i) => i);
		const packets = packetsOf(packetizer, [{ frames: [frame, frame], rtpTime: 0 }], { maxPayloadBytes: 99 });
		const units = unitsOf(depacketizer, packets);
		expect(units.map(({ rtpTime }) => rtpTime)).toEqual([0, ticks, ticks * 2, ticks * 3]);
		expect(Buffer.concat(units.flatMap(({ frames }) => frames))).toEqual(Buffer.concat([frame, frame]));
		expect(depacketizer.dropped).toBe(0);
	});

	test("of a part of the channels are dropped", () => {
		const { depacketizer } = pair({ name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 2 }, 48_000);
		expect(unitsOf(depacketizer, [rtpPacket({ payload: new Uint8Array(9), sequence: 1, timestamp: 9 })])).toEqual([]);
		expect(depacketizer.dropped).toBe(1);
	});

	test("of more channels than a payload has room for are left out", () => {
		const { packetizer } = pair({ name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 64 }, 48_000);
		expect(packetizer([new Uint8Array(192)], 64)).toEqual([]);
	});
});

test("Opus of six channels is timed by its first stream", () => {
	const { packetizer, depacketizer } = pair({ name: "Opus", channels: 6 }, 48_000);
	const of20ms = bytesOfHex("fc0201020304");
	const units = unitsOf(depacketizer, packetsOf(packetizer, [{ frames: [of20ms, of20ms], rtpTime: 7 }]));
	expect(units).toEqual([
		{ rtpTime: 7, frames: [of20ms], randomAccess: true },
		{ rtpTime: 967, frames: [of20ms], randomAccess: true },
	]);
});
