import type { Packetizer, RtpPayload } from "../access-unit.ts";
import { joinedBehind } from "./joined.ts";

const NOTHING = new Uint8Array(0);

/** The items of a unit are one KLVunit, which is divided anywhere. The marker is on its last part. RFC 6597 §4.2. */
export const packetizeKlv: Packetizer = (frames, maxPayloadBytes) => {
	const [first = NOTHING, ...more] = frames;
	const unit = more.length === 0 ? first : joinedBehind(0, frames);
	const payloads: RtpPayload[] = [];
	for (let from = 0; from < unit.length; from += maxPayloadBytes) {
		const bytes = unit.subarray(from, from + maxPayloadBytes);
		payloads.push({ bytes, marker: from + maxPayloadBytes >= unit.length, ticks: 0 });
	}
	return payloads;
};
