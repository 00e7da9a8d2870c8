import { u8, u16 } from "../bytes/big-endian.ts";
import type { Section } from "./section.ts";

const PAT_TABLE_ID = 0;
const PMT_TABLE_ID = 2;
/** The most elementary streams of a program that are looked at. */
export const MAX_ELEMENTARY_STREAMS = 32;

export type Program = { readonly number: number; readonly pmtPid: number };
export type Descriptor = { readonly tag: number; readonly body: Uint8Array };
/** An elementary stream, as the program map says. */
export type ElementaryStream = {
	readonly pid: number;
	readonly streamType: number;
	readonly descriptors: readonly Descriptor[];
};

/** The first program of a program association section, ISO 13818-1 §2.4.4.3; `null` when there is none. */
export function firstProgram({ tableId, current, body }: Section): Program | null {
	if (tableId !== PAT_TABLE_ID || !current) return null;
	for (let at = 0; at + 4 <= body.length; at += 4) {
		const number = u16(body, at);
		// Number 0 is of the network information table.
		if (number !== 0) return { number, pmtPid: u16(body, at + 2) & 0x1fff };
	}
	return null;
}

/**
 * The elementary streams of a program map section, ISO 13818-1 §2.4.4.8; `null` when it is another table, not valid
 * yet, or damaged. Never throws.
 */
export function parseProgramMap({ tableId, current, body }: Section): readonly ElementaryStream[] | null {
	if (tableId !== PMT_TABLE_ID || !current || body.length < 4) return null;
	const streams: ElementaryStream[] = [];
	let at = 4 + (u16(body, 2) & 0x0fff);
	while (at + 5 <= body.length) {
		const infoLength = u16(body, at + 3) & 0x0fff;
		const end = at + 5 + infoLength;
		if (end > body.length) return null;
		const descriptors = parseDescriptors(body.subarray(at + 5, end));
		streams.push({ streamType: u8(body, at), pid: u16(body, at + 1) & 0x1fff, descriptors });
		if (streams.length === MAX_ELEMENTARY_STREAMS) break;
		at = end;
	}
	return streams;
}

/** ISO 13818-1 §2.6.1. What follows one that does not fit is left out. */
function parseDescriptors(bytes: Uint8Array): Descriptor[] {
	const descriptors: Descriptor[] = [];
	for (let at = 0; at + 2 <= bytes.length; ) {
		const end = at + 2 + u8(bytes, at + 1);
		if (end > bytes.length) break;
		descriptors.push({ tag: u8(bytes, at), body: bytes.subarray(at + 2, end) });
		at = end;
	}
	return descriptors;
}
