import type { RtpPayload } from "../access-unit.ts";

/** Writes the header of a part of a picture: the payload's first bytes. */
export type WritePartHeader = (payload: Uint8Array, isFirst: boolean, isLast: boolean) => void;

/**
 * Cuts a picture into parts behind a header of `headerBytes`. All but the last part have the same size. An empty picture
 * gives none.
 */
export function addPictureParts(
	payloads: RtpPayload[],
	picture: Uint8Array,
	maxPayloadBytes: number,
	headerBytes: number,
	writeHeader: WritePartHeader,
): void {
	const room = maxPayloadBytes - headerBytes;
	const all = new Uint8Array(picture.length + Math.ceil(picture.length / room) * headerBytes);
	let to = 0;
	for (let from = 0; from < picture.length; from += room) {
		const part = picture.subarray(from, from + room);
		const bytes = all.subarray(to, to + headerBytes + part.length);
		const isLast = from + room >= picture.length;
		writeHeader(bytes, from === 0, isLast);
		bytes.set(part, headerBytes);
		payloads.push({ bytes, marker: isLast, ticks: 0 });
		to += bytes.length;
	}
}
