/** What receivers ask for: RFC 4585 §6.2 and §6.3, RFC 5104 §4.3.1, draft-alvestrand-rmcat-remb-03 §2.2. */

import { ProtocolError } from "#shared/problem.ts";
import { putU16, putU32, u8, u16, u32 } from "../bytes/big-endian.ts";

export type Feedback =
	| { readonly type: "NACK"; readonly ssrc: number; readonly sequences: readonly number[] }
	| { readonly type: "PLI"; readonly ssrc: number }
	| { readonly type: "FIR"; readonly ssrc: number; readonly command: number }
	/** Bits per second that the receiver believes in. */
	| { readonly type: "REMB"; readonly bitrate: number }
	/** Its body is for `parseTransportFeedback`. */
	| { readonly type: "TWCC"; readonly offset: number; readonly length: number };

const RTPFB = 205;
const PSFB = 206;
const NACK_FORMAT = 1;
const TWCC_FORMAT = 15;
const PLI_FORMAT = 1;
const FIR_FORMAT = 4;
const APPLICATION_FORMAT = 15;
const REMB_NAME = 0x52454d42;
/** Type, length, and the SSRC of both ends. */
export const FEEDBACK_HEADER_BYTES = 12;
/** Numbers of one NACK that are looked at. Browsers ask for a few hundred at most. */
export const MAX_NACKED = 1024;
const MAX_FIRS = 32;

/**
 * Parses the feedback of a compound packet; what is none is left out.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |V=2|P|   FMT   |       PT      |          length               |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                  SSRC of packet sender                        |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                  SSRC of media source                         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :            Feedback Control Information (FCI)                 :
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 */
export function parseFeedback(bytes: Uint8Array, offset = 0, length = bytes.length - offset): Feedback[] {
	const all: Feedback[] = [];
	const end = Math.min(bytes.length, offset + length);
	let at = offset;
	while (at < end) {
		if (at + 4 > end) throw new ProtocolError("bytes.truncated", "An RTCP packet ends within its header");
		const first = u8(bytes, at);
		if (first >> 6 !== 2) throw new ProtocolError("bytes.malformed", "An RTCP packet is not of version 2");
		const size = 4 + u16(bytes, at + 2) * 4;
		if (size > end - at) throw new ProtocolError("bytes.truncated", "An RTCP packet is longer than what came");
		const type = u8(bytes, at + 1);
		if ((type === RTPFB || type === PSFB) && size >= FEEDBACK_HEADER_BYTES) {
			readFeedback(all, bytes, at, size, type, first & 0x1f);
		}
		at += size;
	}
	return all;
}

function readFeedback(
	all: Feedback[],
	bytes: Uint8Array,
	at: number,
	size: number,
	type: number,
	format: number,
): void {
	const ssrc = u32(bytes, at + 8);
	const control = at + FEEDBACK_HEADER_BYTES;
	const end = at + size;
	if (type === RTPFB) {
		if (format === NACK_FORMAT) all.push({ type: "NACK", ssrc, sequences: readNacked(bytes, control, end) });
		else if (format === TWCC_FORMAT) all.push({ type: "TWCC", offset: control, length: end - control });
	} else if (format === PLI_FORMAT) {
		all.push({ type: "PLI", ssrc });
	} else if (format === FIR_FORMAT) {
		for (let i = 0; i < MAX_FIRS && control + 8 * (i + 1) <= end; i++) {
			all.push({ type: "FIR", ssrc: u32(bytes, control + 8 * i), command: u8(bytes, control + 8 * i + 4) });
		}
	} else if (format === APPLICATION_FORMAT && end - control >= 8 && u32(bytes, control) === REMB_NAME) {
		const word = u32(bytes, control + 4);
		all.push({ type: "REMB", bitrate: (word & 0x3ffff) * 2 ** ((word >>> 18) & 0x3f) });
	}
}

/** Each number with a mask of the 16 that follow it. */
function readNacked(bytes: Uint8Array, from: number, end: number): number[] {
	const sequences: number[] = [];
	for (let at = from; at + 4 <= end; at += 4) {
		const first = u16(bytes, at);
		const mask = u16(bytes, at + 2);
		if (sequences.length + 17 > MAX_NACKED) break;
		sequences.push(first);
		for (let bit = 0; bit < 16; bit++) if (mask & (1 << bit)) sequences.push((first + bit + 1) & 0xffff);
	}
	return sequences;
}

/** Asks for packets again. `sequences` ascend, modulo 2^16. */
export function writeNack(sender: number, ssrc: number, sequences: readonly number[]): Uint8Array {
	const words: number[] = [];
	for (const sequence of sequences.slice(0, MAX_NACKED)) {
		const last = words.length - 1;
		const word = words[last] ?? 0;
		const ahead = last < 0 ? 0 : (sequence - (word >>> 16)) & 0xffff;
		if (ahead >= 1 && ahead <= 16) words[last] = (word | (1 << (ahead - 1))) >>> 0;
		else words.push((sequence << 16) >>> 0);
	}
	const bytes = newFeedback(RTPFB, NACK_FORMAT, sender, ssrc, words.length * 4);
	for (const [i, word] of words.entries()) putU32(bytes, FEEDBACK_HEADER_BYTES + i * 4, word);
	return bytes;
}

/** Says that pictures were lost. */
export function writePli(sender: number, ssrc: number): Uint8Array {
	return newFeedback(PSFB, PLI_FORMAT, sender, ssrc, 0);
}

/** Asks for a key frame. `command` counts the requests, modulo 256. */
export function writeFir(sender: number, ssrc: number, command: number): Uint8Array {
	const bytes = newFeedback(PSFB, FIR_FORMAT, sender, 0, 8);
	putU32(bytes, FEEDBACK_HEADER_BYTES, ssrc);
	bytes[FEEDBACK_HEADER_BYTES + 4] = command;
	return bytes;
}

/** Says how many bits per second the receiver believes in, for all of `ssrcs`: at most 255. */
export function writeRemb(sender: number, bitrate: number, ssrcs: readonly number[]): Uint8Array {
	const bytes = newFeedback(PSFB, APPLICATION_FORMAT, sender, 0, 8 + ssrcs.length * 4);
	let exponent = 0;
	let mantissa = Math.max(0, Math.floor(bitrate));
	while (mantissa > 0x3ffff) {
		mantissa = Math.floor(mantissa / 2);
		exponent++;
	}
	putU32(bytes, FEEDBACK_HEADER_BYTES, REMB_NAME);
	putU32(bytes, FEEDBACK_HEADER_BYTES + 4, ((ssrcs.length << 24) | (exponent << 18) | mantissa) >>> 0);
	for (const [i, ssrc] of ssrcs.entries()) putU32(bytes, FEEDBACK_HEADER_BYTES + 8 + i * 4, ssrc);
	return bytes;
}

/** A transport-wide feedback packet around its body, whose length is a multiple of 4 with its padding. */
export function writeTransportFeedback(sender: number, ssrc: number, body: Uint8Array, padding: number): Uint8Array {
	const bytes = newFeedback(RTPFB, TWCC_FORMAT, sender, ssrc, body.length);
	if (padding > 0) bytes[0] = u8(bytes, 0) | 0x20;
	bytes.set(body, FEEDBACK_HEADER_BYTES);
	return bytes;
}

function newFeedback(type: number, format: number, sender: number, ssrc: number, size: number): Uint8Array {
	const bytes = new Uint8Array(FEEDBACK_HEADER_BYTES + size);
	bytes[0] = 0x80 | format;
	bytes[1] = type;
	putU16(bytes, 2, bytes.length / 4 - 1);
	putU32(bytes, 4, sender);
	putU32(bytes, 8, ssrc);
	return bytes;
}
