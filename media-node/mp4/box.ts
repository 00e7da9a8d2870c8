import type { ByteWriter } from "../bytes/byte-writer.ts";

/** ISO 14496-12 §4.2: a box whose body begins with a version and 24 bits of flags. */
export function fullBox(w: ByteWriter, type: string, version: number, flags: number, body: () => void): void {
	w.box(type, () => {
		w.u8(version);
		w.u24(flags);
		body();
	});
}

/** The one track of a CMAF file. */
export const TRACK_ID = 1;

/** `sample_flags` of ISO 14496-12 §8.8.3.1: `sample_depends_on` 2, or 1 and `sample_is_non_sync_sample`. */
export const SYNC_SAMPLE_FLAGS = 0x0200_0000;
export const NON_SYNC_SAMPLE_FLAGS = 0x0101_0000;
