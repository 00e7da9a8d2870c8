import { putU16 } from "../../bytes/big-endian.ts";
import { readMpegAudioHeader } from "../../codecs/mpeg-audio.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";
import { joinedBehind } from "./joined.ts";

/** Zeros, and where in its frame a fragment belongs. */
const HEADER_BYTES = 4;

/** Packs MPEG-1 and MPEG-2 audio: as many frames as fit together, large ones in fragments. RFC 2250 §3.5. */
export function mpegAudioPacketizer(clockRate: number): Packetizer {
	return (frames, maxPayloadBytes) => {
		const payloads: RtpPayload[] = [];
		const room = maxPayloadBytes - HEADER_BYTES;
		let together: Uint8Array[] = [];
		let size = 0;
		let first = 0;
		let time = 0;
		// The marker would begin a spurt of talk.
		const add = (ticks: number, offset: number, parts: readonly Uint8Array[]) =>
			payloads.push({ bytes: payloadOf(offset, parts), marker: false, ticks: Math.round(ticks) });
		const flush = () => {
			if (together.length > 0) add(first, 0, together);
			together = [];
			size = 0;
		};
		for (const frame of frames) {
			const header = readMpegAudioHeader(frame);
			// A size that is not the frame's own would make what comes behind it unreadable.
			const fits = header?.frameBytes === frame.length;
			if (!fits || size + frame.length > room) flush();
			if (fits && frame.length <= room) {
				if (together.length === 0) first = time;
				together.push(frame);
				size += frame.length;
			} else if (fits) {
				for (let from = 0; from < frame.length; from += room) add(time, from, [frame.subarray(from, from + room)]);
			}
			if (header !== null) time += (header.frameSamples * clockRate) / header.sampleRate;
		}
		flush();
		return payloads;
	};
}

function payloadOf(offset: number, parts: readonly Uint8Array[]): Uint8Array {
	const bytes = joinedBehind(HEADER_BYTES, parts);
	putU16(bytes, 2, offset);
	return bytes;
}
