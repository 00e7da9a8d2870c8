import { u8 } from "../../bytes/big-endian.ts";
import { AV1_EXTENSION_BIT, AV1_OBU, AV1_SIZE_BIT, av1ObuType, leb128End, readLeb128 } from "../../codecs/av1.ts";
import type { SampleLayout } from "./sample-description.ts";

/** The most NAL units or OBUs of a sample. */
const MAX_FRAMES = 8_192;

/**
 * The frames of a sample, as an access unit has them; `null` when it is malformed. Frames are views where that is
 * possible. Never throws.
 */
export function framesOf(layout: SampleLayout, sample: Uint8Array): Uint8Array[] | null {
	switch (layout.kind) {
		case "nal":
			return nalsOf(sample, layout.lengthBytes);
		case "obu":
			return obusOf(sample);
		case "whole":
			return sample.length === 0 ? null : [sample];
		case "pcm":
			return sample.length === 0 ? null : [layout.swapBytes === 0 ? sample : swapped(sample, layout.swapBytes)];
	}
}

/** ISO 14496-15 §4.3.3. */
function nalsOf(sample: Uint8Array, lengthBytes: number): Uint8Array[] | null {
	const nals: Uint8Array[] = [];
	for (let at = 0; at < sample.length; ) {
		if (at + lengthBytes > sample.length || nals.length === MAX_FRAMES) return null;
		let length = 0;
		for (let i = 0; i < lengthBytes; i++) length = length * 256 + u8(sample, at + i);
		at += lengthBytes;
		if (length > sample.length - at) return null;
		if (length > 0) nals.push(sample.subarray(at, at + length));
		at += length;
	}
	return nals.length === 0 ? null : nals;
}

/**
 * The OBUs of a temporal unit without their size fields and without delimiter and padding, as RTP carries them: AV1
 * Codec ISO Media File Format Binding §2.4, AV1 Bitstream & Decoding Process Specification §5.3.
 */
function obusOf(sample: Uint8Array): Uint8Array[] | null {
	const obus: Uint8Array[] = [];
	for (let at = 0; at < sample.length; ) {
		if (obus.length === MAX_FRAMES) return null;
		const header = u8(sample, at);
		const headerBytes = (header & AV1_EXTENSION_BIT) === 0 ? 1 : 2;
		let from = at + headerBytes;
		// Only the last one may have no size.
		let size = sample.length - from;
		if ((header & AV1_SIZE_BIT) !== 0) {
			size = readLeb128(sample, from, sample.length);
			if (size < 0) return null;
			from = leb128End(sample, from);
		}
		if (size < 0 || size > sample.length - from) return null;
		if (isCarried(av1ObuType(sample, at))) {
			const obu = new Uint8Array(headerBytes + size);
			obu.set(sample.subarray(at, at + headerBytes));
			obu[0] = header & ~AV1_SIZE_BIT;
			obu.set(sample.subarray(from, from + size), headerBytes);
			obus.push(obu);
		}
		at = from + size;
	}
	return obus.length === 0 ? null : obus;
}

const AV1_PADDING = 15;

function isCarried(type: number): boolean {
	return type !== AV1_OBU.temporalDelimiter && type !== AV1_OBU.tileList && type !== AV1_PADDING;
}

/** Turns the bytes of each sample of `size` bytes around. What is left at the end is no sample. */
function swapped(sample: Uint8Array, size: number): Uint8Array {
	const out = new Uint8Array(sample.length - (sample.length % size));
	for (let at = 0; at < out.length; at += size) {
		for (let i = 0; i < size; i++) out[at + i] = u8(sample, at + size - 1 - i);
	}
	return out;
}
