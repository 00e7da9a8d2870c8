import { ProtocolError } from "#shared/problem.ts";
import { u32 } from "../../bytes/big-endian.ts";

/** A box of ISO 14496-12 §4.2: its type, and what stands behind its header. */
export type Box = { readonly type: string; readonly body: Uint8Array };

/** The most boxes within one. */
const MAX_CHILDREN = 4_096;
const HEADER_BYTES = 8;
const LARGE_HEADER_BYTES = 16;

/** The head of a box. */
export type BoxHead = {
	readonly type: string;
	readonly headerBytes: number;
	/** With the header; `null` for one that goes to the end of the file. */
	readonly size: number | null;
};

/**
 * Parses the head of the box at `at`, where at least 8 bytes are there, and 16 unless the file ends before.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`: the size does not even hold the header
 */
export function parseBoxHead(bytes: Uint8Array, at: number): BoxHead {
	const type = boxType(bytes, at + 4);
	const size = u32(bytes, at);
	if (size === 0) return { type, headerBytes: HEADER_BYTES, size: null };
	if (size !== 1) {
		if (size < HEADER_BYTES) throw new ProtocolError("bytes.malformed", `A box ${type} of MP4 tells a size of ${size}`);
		return { type, headerBytes: HEADER_BYTES, size };
	}
	if (at + LARGE_HEADER_BYTES > bytes.length) {
		throw new ProtocolError("bytes.truncated", `The MP4 data ends in the head of a box ${type}`);
	}
	const large = u32(bytes, at + 8) * 2 ** 32 + u32(bytes, at + 12);
	if (large < LARGE_HEADER_BYTES || large > Number.MAX_SAFE_INTEGER) {
		throw new ProtocolError("bytes.malformed", `A box ${type} of MP4 tells a size of ${large}`);
	}
	return { type, headerBytes: LARGE_HEADER_BYTES, size: large };
}

/** The four-character code at `at`, one character a byte. What is no printable character is shown as `?`. */
export function boxType(bytes: Uint8Array, at: number): string {
	const text = String.fromCharCode(...bytes.subarray(at, at + 4));
	return text.replaceAll(/[^\x20-\x7e\xa9]/g, "?");
}

/**
 * The boxes that fill `bytes` from `offset` on, as views.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`
 */
export function parseBoxes(bytes: Uint8Array, offset = 0): Box[] {
	const boxes: Box[] = [];
	// Up to seven bytes behind the last box are padding.
	for (let at = offset; at + HEADER_BYTES <= bytes.length; ) {
		const { type, headerBytes, size } = parseBoxHead(bytes, at);
		const end = size === null ? bytes.length : at + size;
		if (end > bytes.length) {
			throw new ProtocolError("bytes.truncated", `A box ${type} of MP4 is longer than the one that it is in`);
		}
		if (boxes.length === MAX_CHILDREN) {
			throw new ProtocolError("bytes.limit", `A box of MP4 has more than ${MAX_CHILDREN} others`);
		}
		boxes.push({ type, body: bytes.subarray(at + headerBytes, end) });
		at = end;
	}
	return boxes;
}

/** The body of the first box of `type`; `null` when there is none. */
export function findBox(boxes: readonly Box[], type: string): Uint8Array | null {
	return boxes.find((box) => box.type === type)?.body ?? null;
}

/** The body of the box that is reached by `path` from `boxes`; `null` when there is none. */
export function findPath(boxes: readonly Box[], ...path: readonly string[]): Uint8Array | null {
	let within = boxes;
	let body: Uint8Array | null = null;
	for (const [depth, type] of path.entries()) {
		body = findBox(within, type);
		if (body === null) return null;
		if (depth < path.length - 1) within = parseBoxes(body);
	}
	return body;
}
