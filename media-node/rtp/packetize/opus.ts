import { opusSamples } from "../../codecs/opus.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";

/** One Opus packet a payload. One that is malformed or too large is left out: it cannot be divided. RFC 7587 §4.2. */
export const packetizeOpus: Packetizer = (frames, maxPayloadBytes) => {
	const payloads: RtpPayload[] = [];
	let ticks = 0;
	for (const bytes of frames) {
		const samples = opusSamples(bytes);
		if (samples > 0 && bytes.length <= maxPayloadBytes) payloads.push({ bytes, marker: false, ticks });
		ticks += samples;
	}
	return payloads;
};
