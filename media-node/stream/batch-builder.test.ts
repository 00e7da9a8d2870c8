import { describe, expect, it } from "vitest";
import { AAC_TRACK, H264_PPS, H264_SPS, H264_TRACK, nal, packetsOf, rtpPacket } from "../../test/support/rtp-stream.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { BatchBuilder, MAX_BATCH_BYTES, MAX_PACKET_BYTES } from "./batch-builder.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import type { Track } from "./track.ts";

function builderOf(tracks: readonly Track[] = [H264_TRACK, AAC_TRACK]) {
	const batches: RtpBatch[] = [];
	const builder = new BatchBuilder(tracks, (batch) => batches.push(batch));
	const add = (track: number, bytes: Uint8Array, arrivalMs = 0) => {
		const packet = newRtpPacket();
		expect(readRtpPacket(packet, bytes, 0, bytes.length)).toBe(true);
		builder.addPacket(track, bytes, 0, bytes.length, packet, arrivalMs);
	};
	return { batches, builder, add };
}

const video = (sequence: number, timestamp: number, payload: Uint8Array) => rtpPacket({ sequence, timestamp, payload });

describe("a batch", () => {
	it("holds the packets of one read, each behind its interleaved header (RFC 2326 §10.12)", () => {
		const { batches, builder, add } = builderOf();
		const first = video(1, 0, nal(1));
		const second = rtpPacket({ sequence: 9, timestamp: 5, payload: new Uint8Array(300), payloadType: 97 });
		add(0, first, 1234);
		add(1, second, 1235);
		expect(batches).toEqual([]);
		builder.flush();
		builder.flush();
		expect(batches).toHaveLength(1);
		const [batch] = batches;
		expect(batch?.arrivalMs).toBe(1234);
		expect(Buffer.from(batch?.bytes ?? [])).toEqual(
			Buffer.concat(
				[[0x24, 0, 0, first.length], first, [0x24, 2, second.length >> 8, second.length & 255], second].map((part) =>
					Buffer.from(part),
				),
			),
		);
		expect(batch?.packets).toEqual([0, 4, first.length, 1, 8 + first.length, second.length]);
	});

	it("has a buffer of exactly its size, which later packets do not touch", () => {
		const { batches, builder, add } = builderOf();
		add(0, video(1, 0, nal(1)));
		builder.flush();
		const [batch] = batches as [RtpBatch];
		expect(batch.bytes.buffer.byteLength).toBe(batch.bytes.length);
		const before = Buffer.from(batch.bytes);
		add(0, video(2, 3000, nal(1, 500, 0xaa)));
		builder.flush();
		expect(batch.bytes).toEqual(before);
	});

	it("is only lent when nobody keeps it, and the next one takes its place", () => {
		let isKept = false;
		const batches: RtpBatch[] = [];
		const builder = new BatchBuilder(
			[H264_TRACK, AAC_TRACK],
			(batch) => batches.push({ ...batch, bytes: isKept ? batch.bytes : Buffer.from(batch.bytes) }),
			() => isKept,
		);
		const add = (sequence: number, fill: number) => {
			const bytes = video(sequence, 3000 * sequence, nal(1, 500, fill));
			const packet = newRtpPacket();
			readRtpPacket(packet, bytes, 0, bytes.length);
			builder.addPacket(0, bytes, 0, bytes.length, packet, 0);
			builder.flush();
			return bytes;
		};
		const sent = [add(1, 0xa1), add(2, 0xa2)];
		isKept = true;
		sent.push(add(3, 0xa3));
		isKept = false;
		sent.push(add(4, 0xa4));
		expect(batches.map(({ bytes }) => Buffer.from(bytes.subarray(4)))).toEqual(sent.map((bytes) => Buffer.from(bytes)));
	});

	it("carries the numbers that the packet object says, and all else as it came", () => {
		const { batches, builder } = builderOf();
		// RFC 3550 §5.3.1: an extension of one word, and padding.
		const bytes = Uint8Array.from(Buffer.from("b0e000010000000200000003beef0001aabbccdd418801020300000004", "hex"));
		const packet = newRtpPacket();
		expect(readRtpPacket(packet, bytes, 0, bytes.length)).toBe(true);
		Object.assign(packet, { sequence: 0x1234, timestamp: 0x89abcdef, ssrc: 0xfedcba98, payloadType: 96 });
		builder.addPacket(0, bytes, 0, bytes.length, packet, 0);
		builder.flush();
		const expected = bytes.slice();
		expected.set(Uint8Array.from(Buffer.from("b0e0123489abcdeffedcba98", "hex")));
		expect(new Uint8Array(batches[0]?.bytes.subarray(4) ?? [])).toEqual(expected);
	});

	it("ends before a key frame, and only once for all packets of it", () => {
		const { batches, builder, add } = builderOf();
		add(0, video(1, 0, nal(1)));
		add(1, rtpPacket({ sequence: 1, timestamp: 0, payload: nal(5), payloadType: 97 }));
		add(0, video(2, 3000, H264_SPS));
		add(0, video(3, 3000, H264_PPS));
		add(0, video(4, 3000, nal(5)));
		add(0, video(5, 6000, nal(1)));
		add(0, video(6, 9000, nal(5)));
		builder.flush();
		expect(batches.map((batch) => [batch.randomAccess, packetsOf(batch).map(({ sequence }) => sequence)])).toEqual([
			[false, [1, 1]],
			[true, [2, 3, 4, 5]],
			[true, [6]],
		]);
	});

	it("does not say that a reader can begin where a key frame goes on in the next read", () => {
		const { batches, builder, add } = builderOf();
		add(0, video(1, 3000, H264_SPS));
		builder.flush();
		add(0, video(2, 3000, nal(5)));
		builder.flush();
		expect(batches.map((batch) => batch.randomAccess)).toEqual([true, false]);
	});

	it.each([
		["audio only", [{ ...AAC_TRACK, index: 0 }]],
		["video that passes through unread", [{ ...H264_TRACK, codec: { name: "Generic" } as const }]],
	])("is a place to begin in a stream with %s", (_, tracks) => {
		const { batches, builder, add } = builderOf(tracks);
		add(0, video(1, 0, nal(1)));
		builder.flush();
		expect(batches[0]?.randomAccess).toBe(true);
	});

	it("is cut before it grows beyond its limit", () => {
		const { batches, builder, add } = builderOf();
		const largest = video(1, 0, new Uint8Array(MAX_PACKET_BYTES - 12));
		for (let i = 0; i < 3; i++) add(0, largest);
		builder.flush();
		expect(batches.map((batch) => batch.packets.length / 3)).toEqual([1, 1, 1]);
		for (const batch of batches) expect(batch.bytes.length).toBeLessThanOrEqual(MAX_BATCH_BYTES);
	});
});
