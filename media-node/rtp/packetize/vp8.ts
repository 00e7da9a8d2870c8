import type { RtpPayload } from "../access-unit.ts";
import { addPictureParts } from "./picture-packetizer.ts";

const DESCRIPTOR_BYTES = 1;
/** S: a partition begins here. Its number, PID, is 0. */
const START = 0x10;

/**
 * Packs VP8 frames behind the one mandatory byte of a descriptor. RFC 7741 §4.2: a frame may be cut without regard to
 * where its partitions begin, and S is then on its first packet only.
 */
export function packetizeVp8(frames: readonly Uint8Array[], maxPayloadBytes: number): RtpPayload[] {
	const payloads: RtpPayload[] = [];
	for (const frame of frames) {
		addPictureParts(payloads, frame, maxPayloadBytes, DESCRIPTOR_BYTES, (payload, isFirst) => {
			payload[0] = isFirst ? START : 0;
		});
	}
	return payloads;
}
