/**
 * Which packets of a batch the kernel can send as one: UDP segmentation offload cuts a buffer into datagrams of equal
 * size, of which the last may be shorter (udp(7), UDP_SEGMENT).
 */

import { PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";

/** What Linux cuts out of one send: UDP_MAX_SEGMENTS, which was 64 before it became 128. */
export const MAX_RUN_PACKETS = 64;
/** A send is one UDP datagram to the kernel before it is cut: 65,535 bytes less the headers of IPv4 and UDP. */
export const MAX_RUN_BYTES = 65_507;
/** What is larger may need IP fragments, which are not made together with segments: Ethernet's 1500 bytes less the headers. */
export const MAX_SEGMENT_BYTES = 1472;

/** Packets of one track that follow each other, in one buffer without anything between them. */
export type DatagramRun = {
	readonly track: number;
	readonly bytes: Uint8Array;
	/** Bytes of each packet; the last one may have fewer. */
	readonly packetBytes: number;
	/** From 1 up to {@link MAX_RUN_PACKETS}. */
	readonly packets: number;
};

/** Of each batch, shared by all readers. */
const runs = new WeakMap<RtpBatch, readonly DatagramRun[]>();

/** The packets of a batch in as few sends as can be, in order; made once for all readers. */
export function datagramRuns(batch: RtpBatch): readonly DatagramRun[] {
	let made = runs.get(batch);
	if (made === undefined) {
		made = runLengths(batch.packets).map(([first, count]) => gathered(batch, first, count));
		runs.set(batch, made);
	}
	return made;
}

/** The first packet and the number of packets of each run. `packets` is as {@link RtpBatch.packets}. */
export function runLengths(packets: RtpBatch["packets"]): [first: number, count: number][] {
	const found: [number, number][] = [];
	const total = Math.floor(packets.length / PACKET_STRIDE);
	for (let first = 0; first < total; ) {
		const count = runFrom(packets, first, total);
		found.push([first, count]);
		first += count;
	}
	return found;
}

function runFrom(packets: RtpBatch["packets"], first: number, total: number): number {
	const track = packets[first * PACKET_STRIDE];
	const size = lengthOf(packets, first);
	if (size === 0 || size > MAX_SEGMENT_BYTES) return 1;
	let bytes = size;
	for (let i = first + 1; i < total && i < first + MAX_RUN_PACKETS; i++) {
		const length = lengthOf(packets, i);
		bytes += length;
		if (packets[i * PACKET_STRIDE] !== track || length === 0 || length > size || bytes > MAX_RUN_BYTES) {
			return i - first;
		}
		// Only the last one may be shorter.
		if (length < size) return i + 1 - first;
	}
	return Math.min(total - first, MAX_RUN_PACKETS);
}

function lengthOf(packets: RtpBatch["packets"], index: number): number {
	return packets[index * PACKET_STRIDE + 2] as number;
}

function gathered({ bytes, packets }: RtpBatch, first: number, count: number): DatagramRun {
	const track = packets[first * PACKET_STRIDE] as number;
	const packetBytes = lengthOf(packets, first);
	const packet = (index: number): Uint8Array => {
		const offset = packets[index * PACKET_STRIDE + 1] as number;
		return bytes.subarray(offset, offset + lengthOf(packets, index));
	};
	if (count === 1) return { track, bytes: packet(first), packetBytes, packets: 1 };
	const length = packetBytes * (count - 1) + lengthOf(packets, first + count - 1);
	const whole = Buffer.allocUnsafeSlow(length);
	for (let i = 0; i < count; i++) whole.set(packet(first + i), i * packetBytes);
	return { track, bytes: whole, packetBytes, packets: count };
}
