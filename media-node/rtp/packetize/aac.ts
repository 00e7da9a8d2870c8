import { putU16 } from "../../bytes/big-endian.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";

/** What 13 bits of size can tell. */
const MAX_FRAME_BYTES = 8_191;
/** The length of the AU headers, and one AU header. */
const FIRST_HEADER_BYTES = 4;
const HEADER_BYTES = 2;

/** Packs AAC frames as high bit-rate AAC: as many as fit together, large ones in fragments. RFC 3640 §3.3.6. */
export function aacPacketizer(frameTicks: number): Packetizer {
	return (frames, maxPayloadBytes) => {
		const payloads: RtpPayload[] = [];
		let together: Uint8Array[] = [];
		let size = HEADER_BYTES;
		let first = 0;
		const flush = () => {
			if (together.length > 0) {
				payloads.push({ bytes: aggregate(together, size), marker: true, ticks: first * frameTicks });
			}
			together = [];
			size = HEADER_BYTES;
		};
		for (const [i, frame] of frames.entries()) {
			const fits = frame.length > 0 && frame.length <= MAX_FRAME_BYTES;
			if (!fits || size + HEADER_BYTES + frame.length > maxPayloadBytes) flush();
			if (!fits) continue;
			if (FIRST_HEADER_BYTES + frame.length > maxPayloadBytes) {
				addFragments(payloads, frame, maxPayloadBytes, i * frameTicks);
				continue;
			}
			if (together.length === 0) first = i;
			together.push(frame);
			size += HEADER_BYTES + frame.length;
		}
		flush();
		return payloads;
	};
}

function aggregate(frames: readonly Uint8Array[], size: number): Uint8Array {
	const payload = new Uint8Array(size);
	putU16(payload, 0, frames.length * HEADER_BYTES * 8);
	let header = HEADER_BYTES;
	let at = HEADER_BYTES + frames.length * HEADER_BYTES;
	for (const frame of frames) {
		putU16(payload, header, frame.length << 3);
		payload.set(frame, at);
		header += HEADER_BYTES;
		at += frame.length;
	}
	return payload;
}

/** Each fragment tells the size of the whole frame. The marker is on the last one. */
function addFragments(payloads: RtpPayload[], frame: Uint8Array, maxPayloadBytes: number, ticks: number): void {
	const room = maxPayloadBytes - FIRST_HEADER_BYTES;
	for (let from = 0; from < frame.length; from += room) {
		const part = frame.subarray(from, from + room);
		const bytes = new Uint8Array(FIRST_HEADER_BYTES + part.length);
		putU16(bytes, 0, HEADER_BYTES * 8);
		putU16(bytes, HEADER_BYTES, frame.length << 3);
		bytes.set(part, FIRST_HEADER_BYTES);
		payloads.push({ bytes, marker: from + room >= frame.length, ticks });
	}
}
