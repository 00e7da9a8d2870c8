/** The packets of a stream for a way on which large ones get lost. Pure but for what it remembers. */

import { u8, u16, u32 } from "../../bytes/big-endian.ts";
import type { CodecName } from "../../codecs/codec.ts";
import { divideOversized, FRAGMENT_END, FRAGMENT_START, fragmentHeaderBytes } from "../../rtp/oversized.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket, writeRtpHeader } from "../../rtp/rtp-packet.ts";
import { PACKET_STRIDE, type RtpBatch } from "../../stream/rtp-batch.ts";
import type { Track } from "../../stream/track.ts";

/**
 * The largest RTP packet of a stream that a viewer gets as it is. With header extensions, what error correction adds,
 * SRTP, UDP, and a tunnel around it all, it fits the 1,280 bytes that every way carries, RFC 8200 §5.
 */
export const MAX_VIEWER_PACKET_BYTES = 1_200;
/** The largest NAL unit that is put together to be divided anew. */
const MAX_JOINED_BYTES = 128 * 1024;

/** The packets of a batch, none of which is too large if that can be helped. */
export type SmallPackets = {
	readonly bytes: Uint8Array;
	/** As {@link RtpBatch.packets}. */
	readonly packets: readonly number[];
	/** By track: how many packets more there are. Their numbers go on within the batch; those after it are to follow. */
	readonly added: readonly number[];
};

/** Made once for each batch, whoever asks. */
const made = new WeakMap<RtpBatch, SmallPackets>();

/** The packets of a batch in the size of {@link MAX_VIEWER_PACKET_BYTES}; `null` when they are that already. */
export function smallPacketsOf(batch: RtpBatch, tracks: readonly Track[]): SmallPackets | null {
	const { packets } = batch;
	let isLarge = false;
	for (let i = 2; i < packets.length; i += PACKET_STRIDE) {
		if ((packets[i] as number) > MAX_VIEWER_PACKET_BYTES) isLarge = true;
	}
	if (!isLarge) return null;
	const known = made.get(batch);
	if (known !== undefined) return known;
	const small = divide(batch, tracks);
	made.set(batch, small);
	return small;
}

function divide({ bytes, packets }: RtpBatch, tracks: readonly Track[]): SmallPackets {
	const added = tracks.map(() => 0);
	const parts: Uint8Array[] = [];
	const places: number[] = [];
	let size = 0;
	const header = newRtpPacket();
	const give = (track: number, part: Uint8Array) => {
		places.push(track, size, part.length);
		parts.push(part);
		size += part.length;
	};
	for (let i = 0; i < packets.length; ) {
		const track = packets[i] as number;
		const offset = packets[i + 1] as number;
		const length = packets[i + 2] as number;
		const codec = tracks[track]?.codec.name ?? "Generic";
		const run = length > MAX_VIEWER_PACKET_BYTES ? runOf(bytes, packets, i, codec) : null;
		const payloads = run === null ? null : divideOversized(codec, run.payload, 0, run.payload.length, ROOM);
		readRtpPacket(header, bytes, offset, length);
		const sequence = (header.sequence + (added[track] ?? 0)) & 0xffff;
		if (run === null || payloads === null) {
			const same = Uint8Array.from(bytes.subarray(offset, offset + length));
			same[2] = sequence >> 8;
			same[3] = sequence & 0xff;
			give(track, same);
			i += PACKET_STRIDE;
			continue;
		}
		for (const [at, payload] of payloads.entries()) {
			const packet = new Uint8Array(RTP_HEADER_BYTES + payload.length);
			const marker = run.marker && at === payloads.length - 1;
			writeRtpHeader(packet, 0, { ...header, sequence: (sequence + at) & 0xffff, marker });
			packet.set(payload, RTP_HEADER_BYTES);
			give(track, packet);
		}
		added[track] = (added[track] ?? 0) + payloads.length - run.count;
		i += run.count * PACKET_STRIDE;
	}
	return { bytes: Buffer.concat(parts, size), packets: places, added };
}

const ROOM = MAX_VIEWER_PACKET_BYTES - RTP_HEADER_BYTES;

type Run = {
	/** Of one packet, or the fragments of a NAL unit that follow one another as one fragment. */
	readonly payload: Uint8Array;
	/** Packets that it is of. */
	readonly count: number;
	/** Of the last of them. */
	readonly marker: boolean;
};

/** What is to be divided at the place of a large packet; `null` when it cannot be read. */
function runOf(bytes: Uint8Array, packets: RtpBatch["packets"], first: number, codec: CodecName): Run | null {
	const track = packets[first] as number;
	const packet = newRtpPacket();
	const pieces: Uint8Array[] = [];
	let marker = false;
	let flags = 0;
	let size = 0;
	let count = 0;
	for (let i = first; i < packets.length && packets[i] === track; i += PACKET_STRIDE) {
		const offset = packets[i + 1] as number;
		if (!readRtpPacket(packet, bytes, offset, packets[i + 2] as number)) break;
		const { payloadOffset, payloadLength } = packet;
		const header = fragmentHeaderBytes(codec, bytes, payloadOffset, payloadLength);
		if (header === 0) {
			if (count > 0) break;
			const payload = bytes.subarray(payloadOffset, payloadOffset + payloadLength);
			return { payload, count: 1, marker: packet.marker };
		}
		const own = u8(bytes, payloadOffset + header - 1);
		if (count > 0) {
			const before = packets[i - PACKET_STRIDE + 1] as number;
			const goesOn = u16(bytes, offset + 2) === ((u16(bytes, before + 2) + 1) & 0xffff);
			if (!goesOn || u32(bytes, offset + 4) !== u32(bytes, before + 4) || (own & FRAGMENT_START) !== 0) break;
			if (size + payloadLength > MAX_JOINED_BYTES) break;
		}
		const skipped = count === 0 ? 0 : header;
		pieces.push(bytes.subarray(payloadOffset + skipped, payloadOffset + payloadLength));
		size += payloadLength - skipped;
		flags |= own & (FRAGMENT_START | FRAGMENT_END);
		marker = packet.marker;
		count++;
		if ((own & FRAGMENT_END) !== 0) break;
	}
	const [head] = pieces;
	if (head === undefined) return null;
	const payload = Uint8Array.from(Buffer.concat(pieces, size));
	const at = fragmentHeaderBytes(codec, payload, 0, payload.length) - 1;
	payload[at] = (u8(payload, at) & ~(FRAGMENT_START | FRAGMENT_END)) | flags;
	return { payload, count, marker };
}
