/** Interleaved frames on an RTSP connection. RFC 2326 §10.12. */

import { INTERLEAVED_HEADER_BYTES, PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";

/** The RTP channel of each track of the stream; -1 for a track that the reader did not ask for. */
export type ChannelMap = readonly number[];

/** Batches in the form of channel maps other than the usual one, shared by all readers with the same map. */
const forms = new WeakMap<RtpBatch, Map<string, Uint8Array>>();

/** Says whether a batch can be sent as it is: every track on channel `2 × index`. */
export function isUsualMap(map: ChannelMap): boolean {
	return map.every((channel, track) => channel === 2 * track);
}

/** The batch with the channels of `map`, made once for all readers that have it; `key` stands for the map. */
export function inChannels(batch: RtpBatch, map: ChannelMap, key: string): Uint8Array {
	let ofBatch = forms.get(batch);
	if (ofBatch === undefined) {
		ofBatch = new Map();
		forms.set(batch, ofBatch);
	}
	let bytes = ofBatch.get(key);
	if (bytes === undefined) {
		bytes = remapped(batch, map);
		ofBatch.set(key, bytes);
	}
	return bytes;
}

function remapped({ bytes, packets }: RtpBatch, map: ChannelMap): Uint8Array {
	const out = Buffer.allocUnsafeSlow(bytes.length);
	let at = 0;
	for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
		const channel = map[packets[i] as number] ?? -1;
		if (channel === -1) continue;
		const start = (packets[i + 1] as number) - INTERLEAVED_HEADER_BYTES;
		const length = (packets[i + 2] as number) + INTERLEAVED_HEADER_BYTES;
		out.set(bytes.subarray(start, start + length), at);
		out[at + 1] = channel;
		at += length;
	}
	return out.subarray(0, at);
}

/** One frame around `data`. */
export function frameOf(channel: number, data: Uint8Array): Uint8Array {
	const frame = Buffer.allocUnsafe(INTERLEAVED_HEADER_BYTES + data.length);
	frame[0] = 0x24;
	frame[1] = channel;
	frame.writeUInt16BE(data.length, 2);
	frame.set(data, INTERLEAVED_HEADER_BYTES);
	return frame;
}
