import { putU16 } from "../../bytes/big-endian.ts";
import { isVp9KeyFrame } from "../../codecs/vp9.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";
import { addPictureParts } from "./picture-packetizer.ts";

/** The flags, and a picture ID of 15 bits. */
const DESCRIPTOR_BYTES = 3;
const HAS_PICTURE_ID = 0x80;
const INTER_PICTURE_PREDICTED = 0x40;
const BEGINS_FRAME = 0x08;
const ENDS_FRAME = 0x04;
const LONG_PICTURE_ID = 0x8000;

/**
 * Packs VP9 pictures in non-flexible mode, as one spatial and one temporal layer, and numbers them from `pictureId` on.
 * RFC 9628 §4.2.
 */
export function vp9Packetizer(pictureId = 0): Packetizer {
	let next = pictureId & 0x7fff;
	return (frames, maxPayloadBytes) => {
		const payloads: RtpPayload[] = [];
		for (const frame of frames) {
			if (frame.length === 0) continue;
			const flags = HAS_PICTURE_ID | (isVp9KeyFrame(frame) ? 0 : INTER_PICTURE_PREDICTED);
			const id = LONG_PICTURE_ID | next;
			next = (next + 1) & 0x7fff;
			addPictureParts(payloads, frame, maxPayloadBytes, DESCRIPTOR_BYTES, (payload, isFirst, isLast) => {
				payload[0] = flags | (isFirst ? BEGINS_FRAME : 0) | (isLast ? ENDS_FRAME : 0);
				putU16(payload, 1, id);
			});
		}
		return payloads;
	};
}
