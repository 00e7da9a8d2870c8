import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Codec } from "../codecs/codec.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { divideOversized } from "./oversized.ts";
import { createPacketizer } from "./packetizer.ts";
import { newRtpPacket } from "./rtp-packet.ts";

const CODECS: readonly Codec[] = [
	{ name: "H264", sps: null, pps: null },
	{ name: "H265", vps: null, sps: null, pps: null },
];

/** A NAL unit of a slice, with a header of its codec. */
function nalOf(codec: Codec, bytes: Uint8Array): Uint8Array {
	return Uint8Array.from(codec.name === "H264" ? [0x65, ...bytes] : [0x26, 0x01, ...bytes]);
}

/** What a depacketizer makes of payloads, one packet each. */
function unitOf(codec: Codec, payloads: readonly Uint8Array[]): readonly Uint8Array[] {
	const depacketizer = createDepacketizer(codec, { encoding: "", fmtp: "" });
	const packet = newRtpPacket();
	let frames: readonly Uint8Array[] = [];
	// The end of a unit before it: where the first one of all begins cannot be told.
	[nalOf(codec, new Uint8Array(8)), ...payloads].forEach((payload, sequence) => {
		const marker = sequence === 0 || sequence === payloads.length;
		const timestamp = sequence === 0 ? 0 : 3000;
		Object.assign(packet, { sequence, timestamp, payloadLength: payload.length, marker });
		for (const unit of depacketizer?.push(payload, packet) ?? []) frames = unit.frames.map((frame) => frame.slice());
	});
	return frames;
}

const bytes = fc.uint8Array({ minLength: 8, maxLength: 3000 });

describe.each(CODECS)("a packet of $name that is too large", (codec) => {
	it("is divided into payloads that carry the same NAL units, whatever kind of packet it was", () => {
		fc.assert(
			fc.property(
				fc.array(bytes, { minLength: 1, maxLength: 4 }),
				fc.integer({ min: 1000, max: 9000 }),
				fc.integer({ min: 64, max: 1400 }),
				(units, largest, max) => {
					const nals = units.map((unit) => nalOf(codec, unit));
					const large = createPacketizer(codec, 90_000)?.(nals, largest) ?? [];
					const small = large.flatMap(
						({ bytes: payload }) => divideOversized(codec.name, payload, 0, payload.length, max) ?? [],
					);
					expect(Math.max(...small.map(({ length }) => length))).toBeLessThanOrEqual(max);
					expect(unitOf(codec, small)).toEqual(nals);
				},
			),
			{ seed: 20_261_121, numRuns: 300 },
		);
	});

	it("is left alone when it is malformed", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
				const parts = divideOversized(codec.name, payload, 0, payload.length, 64);
				for (const part of parts ?? []) expect(part.length).toBeLessThanOrEqual(64);
			}),
			{ seed: 20_261_121, numRuns: 2000 },
		);
		const cutOff = Uint8Array.from(codec.name === "H264" ? [24, 0, 9, 0x65, 1] : [0x60, 1, 0, 9, 0x26, 1, 1]);
		expect(divideOversized(codec.name, cutOff, 0, cutOff.length, 64)).toBeNull();
	});
});

it("leaves a payload format that it does not know as it is", () => {
	expect(divideOversized("VP8", new Uint8Array(3000), 0, 3000, 1400)).toBeNull();
});
