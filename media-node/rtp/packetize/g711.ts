import type { Packetizer, RtpPayload } from "../access-unit.ts";

/** G.711 samples as they are, of all channels together: RFC 3551 §4.1, §4.5.14. */
export function g711Packetizer(channels: number): Packetizer {
	return (frames, maxPayloadBytes) => {
		const payloads: RtpPayload[] = [];
		const room = Math.floor(maxPayloadBytes / channels) * channels;
		let ticks = 0;
		for (const frame of frames) {
			for (let from = 0; from < frame.length; from += room) {
				const bytes = frame.subarray(from, from + room);
				payloads.push({ bytes, marker: false, ticks });
				ticks += Math.floor(bytes.length / channels);
			}
		}
		return payloads;
	};
}
