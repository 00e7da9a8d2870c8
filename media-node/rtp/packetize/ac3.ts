import { AC3_FRAME_SAMPLES, readAc3Header } from "../../codecs/ac3.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";
import { joinedBehind } from "./joined.ts";

const HEADER_BYTES = 2;
/** What one byte can count. */
const MAX_TOGETHER = 255;
/** Frame types, RFC 4184 §4.1.1. */
const WHOLE_FRAMES = 0;
const FIRST_FRAGMENT_WITH_MOST = 1;
const FIRST_FRAGMENT = 2;
const LATER_FRAGMENT = 3;

/** Packs AC-3: as many frames as fit together, large ones in fragments. RFC 4184 §4. */
export function ac3Packetizer(clockRate: number): Packetizer {
	return (frames, maxPayloadBytes) => {
		const payloads: RtpPayload[] = [];
		const room = maxPayloadBytes - HEADER_BYTES;
		let together: Uint8Array[] = [];
		let size = 0;
		let first = 0;
		let time = 0;
		const flush = () => {
			if (together.length > 0) {
				const bytes = payloadOf(WHOLE_FRAMES, together.length, together);
				payloads.push({ bytes, marker: true, ticks: Math.round(first) });
			}
			together = [];
			size = 0;
		};
		for (const frame of frames) {
			const header = readAc3Header(frame);
			const fits = header?.frameBytes === frame.length;
			if (!fits || size + frame.length > room || together.length === MAX_TOGETHER) flush();
			if (fits && frame.length <= room) {
				if (together.length === 0) first = time;
				together.push(frame);
				size += frame.length;
			} else if (fits) {
				addFragments(payloads, frame, room, Math.round(time));
			}
			if (header !== null) time += (AC3_FRAME_SAMPLES * clockRate) / header.sampleRate;
		}
		flush();
		return payloads;
	};
}

/** Each fragment tells how many there are. The marker is on the last one. */
function addFragments(payloads: RtpPayload[], frame: Uint8Array, room: number, ticks: number): void {
	const count = Math.ceil(frame.length / room);
	for (let from = 0; from < frame.length; from += room) {
		const part = frame.subarray(from, from + room);
		const isFirst = part.length * 8 >= frame.length * 5 ? FIRST_FRAGMENT_WITH_MOST : FIRST_FRAGMENT;
		const bytes = payloadOf(from === 0 ? isFirst : LATER_FRAGMENT, count, [part]);
		payloads.push({ bytes, marker: from + room >= frame.length, ticks });
	}
}

function payloadOf(type: number, count: number, parts: readonly Uint8Array[]): Uint8Array {
	const bytes = joinedBehind(HEADER_BYTES, parts);
	bytes[0] = type;
	bytes[1] = count;
	return bytes;
}
