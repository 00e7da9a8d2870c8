import { ProtocolError } from "#shared/problem.ts";
import { findStartCode } from "../codecs/start-code.ts";
import type { ByteSource } from "./byte-source.ts";

const CHUNK_BYTES = 256 * 1024;
/** The largest NAL unit that is read: above any access unit that is carried further. */
export const MAX_NAL_BYTES = 8 * 1024 * 1024;
/** `00 00 01`, without the byte behind it. */
const PREFIX_BYTES = 3;

/**
 * The NAL units of a byte stream in a file (ITU-T H.264 annex B, H.265 annex B), without start codes. They keep.
 *
 * @throws ProtocolError `bytes.limit` when one is larger than {@link MAX_NAL_BYTES}
 */
export async function* readNals(source: ByteSource, file: string): AsyncGenerator<Uint8Array, void, void> {
	let bytes: Uint8Array = new Uint8Array(0);
	/** Where the NAL unit begins that is not complete; -1 before the first start code. */
	let start = -1;
	/** Where no start code was found before. */
	let searched = 0;
	for (let at = 0; at < source.size; ) {
		const chunk = await source.read(at, CHUNK_BYTES);
		if (chunk.length === 0) break;
		at += chunk.length;
		const kept = start === -1 ? Math.max(0, bytes.length - PREFIX_BYTES) : start;
		bytes = joined(bytes.subarray(kept), chunk);
		searched = Math.max(0, searched - kept);
		if (start !== -1) start = 0;
		for (;;) {
			const code = findStartCode(bytes, searched, bytes.length);
			if (code === bytes.length) break;
			const nal = start === -1 ? null : trimmed(bytes, start, code);
			start = code + PREFIX_BYTES;
			searched = start;
			if (nal !== null) yield nal;
		}
		searched = Math.max(searched, bytes.length - PREFIX_BYTES);
		if (start !== -1 && bytes.length - start > MAX_NAL_BYTES) {
			throw new ProtocolError("bytes.limit", `${file} has a NAL unit of more than ${MAX_NAL_BYTES} bytes`);
		}
	}
	const last = start === -1 ? null : trimmed(bytes, start, bytes.length);
	if (last !== null) yield last;
}

/** Without the zeros that may follow a unit; `null` when nothing is left. */
function trimmed(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
	let last = end;
	while (last > start && bytes[last - 1] === 0) last--;
	return last > start ? bytes.subarray(start, last) : null;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(a.length + b.length);
	bytes.set(a);
	bytes.set(b, a.length);
	return bytes;
}
