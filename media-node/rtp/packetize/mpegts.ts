import type { Packetizer, RtpPayload } from "../access-unit.ts";
import { TS_PACKET_BYTES, TS_SYNC } from "../depacketize/mpegts.ts";
import { joinedBehind } from "./joined.ts";

/**
 * Packs transport stream packets, as many as fit together: RFC 2250 §2. A frame is one or more of them; one that is not
 * is left out. All are of the time of the unit.
 */
export const packetizeMpegTs: Packetizer = (frames, maxPayloadBytes) => {
	const packets: Uint8Array[] = [];
	for (const frame of frames) {
		if (frame.length % TS_PACKET_BYTES !== 0) continue;
		for (let at = 0; at < frame.length; at += TS_PACKET_BYTES) {
			if (frame[at] === TS_SYNC) packets.push(frame.subarray(at, at + TS_PACKET_BYTES));
		}
	}
	const together = Math.floor(maxPayloadBytes / TS_PACKET_BYTES);
	const payloads: RtpPayload[] = [];
	if (together === 0) return payloads;
	for (let from = 0; from < packets.length; from += together) {
		const bytes = joinedBehind(0, packets.slice(from, from + together));
		// The marker would tell of a jump in time.
		payloads.push({ bytes, marker: false, ticks: 0 });
	}
	return payloads;
};
