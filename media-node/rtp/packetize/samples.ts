import { type SampleBlock, ticksOfBlocks } from "../../codecs/sample-block.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";

/**
 * Samples as they are, of all channels together, divided only between blocks: G.711, G.722 and G.726 (RFC 3551 §4.5),
 * linear PCM (RFC 3190 §4).
 */
export function samplePacketizer(block: SampleBlock): Packetizer {
	return (frames, maxPayloadBytes) => {
		const payloads: RtpPayload[] = [];
		const room = Math.floor(maxPayloadBytes / block.bytes) * block.bytes;
		if (room === 0) return payloads;
		let ticks = 0;
		for (const frame of frames) {
			for (let from = 0; from < frame.length; from += room) {
				const bytes = frame.subarray(from, from + room);
				payloads.push({ bytes, marker: false, ticks });
				ticks += ticksOfBlocks(bytes, block);
			}
		}
		return payloads;
	};
}
