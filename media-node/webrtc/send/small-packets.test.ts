import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { u16, u32 } from "../../bytes/big-endian.ts";
import type { Codec } from "../../codecs/codec.ts";
import { createDepacketizer } from "../../rtp/depacketizer.ts";
import { createPacketizer } from "../../rtp/packetizer.ts";
import { newRtpPacket, readRtpPacket } from "../../rtp/rtp-packet.ts";
import { BatchBuilder } from "../../stream/batch-builder.ts";
import { PACKET_STRIDE, type RtpBatch } from "../../stream/rtp-batch.ts";
import type { Track } from "../../stream/track.ts";
import { MAX_VIEWER_PACKET_BYTES, type SmallPackets, smallPacketsOf } from "./small-packets.ts";

const CODECS: readonly Codec[] = [
	{ name: "H264", sps: null, pps: null },
	{ name: "H265", vps: null, sps: null, pps: null },
];
const RTP = { payloadType: 96, encoding: "", fmtp: "" };
const tracksOf = (codec: Codec): readonly Track[] => [
	{ index: 0, kind: "video", codec, clockRate: 90_000, rtp: RTP },
	{ index: 1, kind: "audio", codec: { name: "Opus", channels: 2 }, clockRate: 48_000, rtp: RTP },
];

type Part = { track: number; sequence: number; payload: Uint8Array; marker: boolean; timestamp?: number };

function batchOf(tracks: readonly Track[], parts: readonly Part[]): RtpBatch {
	let batch: RtpBatch | null = null;
	const builder = new BatchBuilder(tracks, (made) => {
		batch = made;
	});
	for (const { track, sequence, payload, marker, timestamp = 3000 } of parts) {
		const header = { ...newRtpPacket(), marker, payloadType: 96, sequence, timestamp, ssrc: 5 };
		builder.addPayload(track, payload, header, false, 0);
	}
	builder.flush();
	if (batch === null) throw new Error("There is no batch");
	return batch;
}

function packetsOf({ bytes, packets }: SmallPackets) {
	const found = [];
	for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
		const packet = newRtpPacket();
		const length = packets[i + 2]!;
		expect(readRtpPacket(packet, bytes, packets[i + 1]!, length)).toBe(true);
		const { payloadOffset, payloadLength } = packet;
		found.push({
			...packet,
			track: packets[i]!,
			length,
			payload: bytes.slice(payloadOffset, payloadOffset + payloadLength),
		});
	}
	return found;
}

const nalOf = (codec: Codec, size: number) => {
	const body = Uint8Array.from({ length: size }, (_, i) => i * 7);
	return Uint8Array.from(codec.name === "H264" ? [0x65, ...body] : [0x26, 0x01, ...body]);
};

describe.each(CODECS)("the packets of $name for a viewer", (codec) => {
	const tracks = tracksOf(codec);

	it("are those of the stream as long as none is too large", () => {
		const payload = nalOf(codec, MAX_VIEWER_PACKET_BYTES - 12 - 2);
		expect(smallPacketsOf(batchOf(tracks, [{ track: 0, sequence: 1, payload, marker: true }]), tracks)).toBeNull();
	});

	it("carry the same pictures in packets that are small enough, and no more of them than it takes", () => {
		const ofSize = fc.integer({ min: 8, max: 20_000 });
		fc.assert(
			fc.property(
				fc.array(ofSize, { minLength: 1, maxLength: 4 }),
				fc.integer({ min: 1210, max: 9000 }),
				(sizes, room) => {
					const nals = sizes.map((size) => nalOf(codec, size));
					const payloads = createPacketizer(codec, 90_000)?.(nals, room) ?? [];
					const parts = payloads.map(({ bytes: payload }, i) => {
						return { track: 0, sequence: (0xfffe + i) & 0xffff, payload, marker: i === payloads.length - 1 };
					});
					const small = smallPacketsOf(batchOf(tracks, parts), tracks);
					if (small === null) {
						expect(Math.max(...parts.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1188);
						return;
					}
					const packets = packetsOf(small);
					expect(Math.max(...packets.map(({ length }) => length))).toBeLessThanOrEqual(MAX_VIEWER_PACKET_BYTES);
					expect(packets.map(({ sequence }) => sequence)).toEqual(packets.map((_, i) => (0xfffe + i) & 0xffff));
					expect(packets.map(({ marker }) => marker)).toEqual(packets.map((_, i) => i === packets.length - 1));
					expect(small.added).toEqual([packets.length - parts.length, 0]);
					const least = sizes.reduce((sum, size) => sum + Math.max(1, Math.ceil(size / 1180)), 0);
					expect(packets.length).toBeLessThanOrEqual(least + sizes.length);
					const depacketizer = createDepacketizer(codec, { encoding: "", fmtp: "" });
					const before = nalOf(codec, 8);
					const push = (payload: Uint8Array, sequence: number, timestamp: number, marker: boolean) =>
						depacketizer?.push(payload, {
							...newRtpPacket(),
							sequence,
							timestamp,
							marker,
							payloadLength: payload.length,
						}) ?? [];
					push(before, 0, 0, true);
					const units = packets.flatMap(({ payload, marker }, i) =>
						push(payload, i + 1, 3000, marker).map(({ frames }) => frames.map((frame) => frame.slice())),
					);
					expect(units).toEqual([nals]);
				},
			),
			{ seed: 20_261_121, numRuns: 200 },
		);
	});

	it("leave a hole where the publisher lost a part of a picture", () => {
		const [first, , third] = createPacketizer(codec, 90_000)?.([nalOf(codec, 4000)], 1460) ?? [];
		const parts = [first, third].map((one, i) => {
			return { track: 0, sequence: 10 + 2 * i, payload: one?.bytes ?? new Uint8Array(0), marker: i === 1 };
		});
		const small = smallPacketsOf(batchOf(tracks, parts), tracks);
		expect(packetsOf(small!).map(({ sequence }) => sequence)).toEqual([10, 11, 13]);
		expect(small?.added).toEqual([1, 0]);
	});
});

describe("the packets of a batch for a viewer", () => {
	const tracks = tracksOf({ name: "H264", sps: null, pps: null });

	it("are made once, and leave the other tracks as they are", () => {
		const sound = Uint8Array.from([1, 2, 3]);
		const batch = batchOf(tracks, [
			{ track: 1, sequence: 7, payload: sound, marker: false, timestamp: 9 },
			{ track: 0, sequence: 20, payload: nalOf({ name: "H264", sps: null, pps: null }, 2000), marker: true },
			{ track: 1, sequence: 8, payload: sound, marker: false, timestamp: 10 },
		]);
		const small = smallPacketsOf(batch, tracks);
		expect(smallPacketsOf(batch, tracks)).toBe(small);
		expect(packetsOf(small!).map(({ track, sequence, timestamp }) => [track, sequence, timestamp])).toEqual([
			[1, 7, 9],
			[0, 20, 3000],
			[0, 21, 3000],
			[1, 8, 10],
		]);
	});

	it("stay as they are when their format cannot be divided", () => {
		const vp8 = tracksOf({ name: "VP8" });
		const batch = batchOf(vp8, [{ track: 0, sequence: 1, payload: new Uint8Array(1400).fill(1), marker: true }]);
		const small = smallPacketsOf(batch, vp8);
		expect(packetsOf(small!).map(({ length }) => length)).toEqual([1412]);
		expect(u16(small!.bytes, 2)).toBe(1);
		expect(u32(small!.bytes, 4)).toBe(3000);
	});
});
