import type { ByteWriter } from "../bytes/byte-writer.ts";
import { fullBox, NON_SYNC_SAMPLE_FLAGS, SYNC_SAMPLE_FLAGS, TRACK_ID } from "./box.ts";

/** One sample: its times in ticks, on whatever clock the track has. */
export type FragmentSample = {
	readonly dts: number;
	readonly pts: number;
	/** In bytes. */
	readonly size: number;
	/** A decoder can begin here. */
	readonly sync: boolean;
};

export type Fragment = {
	readonly kind: "video" | "audio";
	/** Greater than that of the fragment before. */
	readonly sequence: number;
	/** The first sample's decoding time on the timeline of the file, in ticks. */
	readonly decodeTime: number;
	/** At least one, in decoding order. */
	readonly samples: readonly FragmentSample[];
	/** When the last sample ends, on the clock of the samples. */
	readonly end: number;
};

/** A compact size of 32 bits and a type. */
const BOX_HEADER_BYTES = 8;

/** `tf_flags` of ISO 14496-12 §8.8.7.1. */
const DEFAULT_BASE_IS_MOOF = 0x02_0000;
/** `tr_flags` of ISO 14496-12 §8.8.8.1. */
const TRUN = { dataOffset: 0x001, duration: 0x100, size: 0x200, flags: 0x400, compositionOffset: 0x800 } as const;
const AUDIO_TRUN_FLAGS = TRUN.dataOffset | TRUN.duration | TRUN.size;
const VIDEO_TRUN_FLAGS = AUDIO_TRUN_FLAGS | TRUN.flags | TRUN.compositionOffset;

/** Writes all of a CMAF segment (ISO 23000-19 §7.3.3) that stands before the bytes of its samples. */
export function writeFragmentHeader(w: ByteWriter, fragment: Fragment): void {
	styp(w);
	const start = w.length;
	let dataOffsetAt = 0;
	w.box("moof", () => {
		mfhd(w, fragment.sequence);
		w.box("traf", () => {
			tfhd(w);
			tfdt(w, fragment.decodeTime);
			dataOffsetAt = trun(w, fragment);
		});
	});
	w.patchU32(dataOffsetAt, w.length - start + BOX_HEADER_BYTES);
	mdatHeader(w, fragment.samples);
}

/** Segment Type Box: a file type for a segment. */
function styp(w: ByteWriter): void {
	w.box("styp", () => {
		w.latin1("cmfs"); // major_brand
		w.u32(0); // minor_version
		w.latin1("cmfsmsdh"); // compatible_brands
	});
}

/** Movie Fragment Header Box: contains a sequence number, as a safety check. */
function mfhd(w: ByteWriter, sequence: number): void {
	fullBox(w, "mfhd", 0, 0, () => w.u32(sequence % 2 ** 32));
}

/** Track Fragment Header Box: sets up information and defaults used for the runs of samples. */
function tfhd(w: ByteWriter): void {
	fullBox(w, "tfhd", 0, DEFAULT_BASE_IS_MOOF, () => w.u32(TRACK_ID));
}

/** Track Fragment Base Media Decode Time Box: the absolute decode time of the first sample. Version 1: 64 bits. */
function tfdt(w: ByteWriter, decodeTime: number): void {
	fullBox(w, "tfdt", 1, 0, () => w.u64(decodeTime));
}

/**
 * Track Fragment Run Box: documents a contiguous set of samples. Version 1: composition offsets are signed. Returns
 * where the data offset is to be patched in.
 */
function trun(w: ByteWriter, { kind, samples, end }: Fragment): number {
	let dataOffsetAt = 0;
	const video = kind === "video";
	fullBox(w, "trun", 1, video ? VIDEO_TRUN_FLAGS : AUDIO_TRUN_FLAGS, () => {
		w.u32(samples.length); // sample_count
		dataOffsetAt = w.length;
		w.u32(0); // data_offset
		for (let i = 0; i < samples.length; i++) {
			const { dts, pts, size, sync } = samples[i] as FragmentSample;
			w.u32((samples[i + 1]?.dts ?? end) - dts); // sample_duration
			w.u32(size); // sample_size
			if (!video) continue;
			w.u32(sync ? SYNC_SAMPLE_FLAGS : NON_SYNC_SAMPLE_FLAGS); // sample_flags
			w.u32(pts - dts); // sample_composition_time_offset
		}
	});
	return dataOffsetAt;
}

/** The size and type of the Media Data Box, which contains the bytes of the samples. */
function mdatHeader(w: ByteWriter, samples: readonly FragmentSample[]): void {
	let size = BOX_HEADER_BYTES;
	for (const sample of samples) size += sample.size;
	w.u32(size);
	w.latin1("mdat");
}
