import type { RtpPayload } from "../access-unit.ts";

/** Packs VOPs, with the headers before them, by cutting them into payloads without a header. RFC 6416 §5.2. */
export function packetizeMpeg4Video(frames: readonly Uint8Array[], maxPayloadBytes: number): RtpPayload[] {
	const payloads: RtpPayload[] = [];
	for (const frame of frames) {
		for (let from = 0; from < frame.length; from += maxPayloadBytes) {
			const bytes = frame.subarray(from, from + maxPayloadBytes);
			payloads.push({ bytes, marker: from + maxPayloadBytes >= frame.length, ticks: 0 });
		}
	}
	return payloads;
}
