import { describe, expect, it } from "vitest";
import type { Codec } from "../codecs/codec.ts";
import type { AccessUnit, RtpPayload } from "./access-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { createPacketizer } from "./packetizer.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket, writeRtpHeader } from "./rtp-packet.ts";

const MAX_PAYLOAD_BYTES = 200;

/** `first`, and so many bytes in all. */
function frame(first: readonly number[], size: number, fill: number): Uint8Array {
	const bytes = new Uint8Array(size).fill(fill);
	bytes.set(first);
	return bytes;
}

const EMPTY = new Uint8Array(0);
/** Of each codec whose unit may be in several packets: the frames of a picture, small ones and ones in fragments. */
const PICTURES: readonly { codec: Codec; encoding: string; frames: (fill: number) => Uint8Array[] }[] = [
	{
		codec: { name: "H264", sps: EMPTY, pps: EMPTY },
		encoding: "H264/90000",
		frames: (fill) => [
			frame([0x06], 30, fill),
			frame([0x65, 0x88], 150, fill + 1),
			frame([0x65, 0x08], 900, fill + 2),
			frame([0x65, 0x08], 170, fill + 3),
		],
	},
	{
		codec: { name: "H265", vps: EMPTY, sps: EMPTY, pps: EMPTY },
		encoding: "H265/90000",
		frames: (fill) => [
			frame([0x4e, 0x01], 40, fill),
			frame([0x26, 0x01, 0x80], 150, fill + 1),
			frame([0x26, 0x01, 0x08], 900, fill + 2),
			frame([0x26, 0x01, 0x08], 180, fill + 3),
		],
	},
	{ codec: { name: "VP8" }, encoding: "VP8/90000", frames: (fill) => [frame([0x10], 900, fill)] },
	{
		codec: { name: "AV1" },
		encoding: "AV1/90000",
		// A sequence header, without which nothing begins, and frames.
		frames: (fill) => [
			frame([0x08], 120, fill),
			frame([0x30], 150, fill + 1),
			frame([0x30], 700, fill + 2),
			frame([0x30], 150, fill + 3),
		],
	},
];

function packetsOf(payloads: readonly RtpPayload[], sequence: number, timestamp: number): Uint8Array[] {
	return payloads.map(({ bytes, marker, ticks }, i) => {
		const packet = new Uint8Array(RTP_HEADER_BYTES + bytes.length);
		const fields = { ...newRtpPacket(), marker, payloadType: 96, sequence: sequence + i, ssrc: 1 };
		writeRtpHeader(packet, 0, { ...fields, timestamp: timestamp + ticks });
		packet.set(bytes, RTP_HEADER_BYTES);
		return packet;
	});
}

describe("A depacketizer keeps nothing of packets that were only lent", () => {
	it.each(PICTURES.map((picture) => [picture.codec.name, picture] as const))("of %s", (_name, picture) => {
		const packetize = createPacketizer(picture.codec, 90_000);
		const depacketizer = createDepacketizer(picture.codec, { encoding: picture.encoding, fmtp: "" });
		const given: Uint8Array[][] = [];
		const expected: Uint8Array[][] = [];
		let sequence = 0;
		for (let i = 0; i < 6; i++) {
			const frames = picture.frames(16 * (i + 1));
			expected.push(frames);
			const packets = packetsOf(packetize?.(frames, MAX_PAYLOAD_BYTES) ?? [], sequence, i * 3000);
			sequence += packets.length;
			// Otherwise nothing would be kept from one packet to the next.
			expect(packets.length).toBeGreaterThan(1);
			for (const bytes of packets) {
				const packet = newRtpPacket();
				expect(readRtpPacket(packet, bytes, 0, bytes.length)).toBe(true);
				const units: readonly AccessUnit[] = depacketizer?.push(bytes, packet) ?? [];
				for (const unit of units) given.push(unit.frames.map((whole) => Uint8Array.from(whole)));
				bytes.fill(0xee);
			}
		}
		expect(given).toEqual(expected);
	});
});
