import { ByteWriter } from "../bytes/byte-writer.ts";
import { fullBox, NON_SYNC_SAMPLE_FLAGS, SYNC_SAMPLE_FLAGS, TRACK_ID } from "./box.ts";
import type { SampleEntry } from "./sample-entry.ts";

/** Movie time is not used: there is nothing in the movie itself. */
const MOVIE_TIMESCALE = 1000;
/** ISO 639-2 `und`, packed as ISO 14496-12 §8.4.2.3 says. */
const UNDETERMINED_LANGUAGE = 0x55c4;

/**
 * A CMAF header (ISO 23000-19 §7.3.1) of one track: what a player loads once before the segments. `timescale` is the
 * number of ticks per second of all times in the segments.
 */
export function initSegment(entry: SampleEntry, timescale: number): Uint8Array {
	const w = new ByteWriter(1024);
	ftyp(w);
	w.box("moov", () => {
		mvhd(w);
		w.box("trak", () => {
			tkhd(w, entry);
			w.box("mdia", () => {
				mdhd(w, timescale);
				hdlr(w, entry.kind);
				w.box("minf", () => {
					if (entry.kind === "video") vmhd(w);
					else smhd(w);
					dinf(w);
					stbl(w, entry);
				});
			});
		});
		w.box("mvex", () => trex(w, entry.kind));
	});
	return w.written.slice();
}

/** File Type Box: which specifications the file complies with. */
function ftyp(w: ByteWriter): void {
	w.box("ftyp", () => {
		w.latin1("iso6"); // major_brand
		w.u32(0); // minor_version
		w.latin1("iso6cmfc"); // compatible_brands
	});
}

/** Movie Header Box: defines overall information which is media-independent. */
function mvhd(w: ByteWriter): void {
	fullBox(w, "mvhd", 0, 0, () => {
		w.u32(0); // creation_time
		w.u32(0); // modification_time
		w.u32(MOVIE_TIMESCALE);
		w.u32(0); // duration
		w.u32(0x0001_0000); // rate: 1
		w.u16(0x0100); // volume: 1
		w.zeros(10); // reserved
		unityMatrix(w);
		w.zeros(24); // pre_defined
		w.u32(TRACK_ID + 1); // next_track_ID
	});
}

/** Track Header Box: specifies the characteristics of a single track. Flags: enabled, in movie, in preview. */
function tkhd(w: ByteWriter, entry: SampleEntry): void {
	const video = entry.kind === "video" ? entry : { width: 0, height: 0 };
	fullBox(w, "tkhd", 0, 7, () => {
		w.u32(0); // creation_time
		w.u32(0); // modification_time
		w.u32(TRACK_ID);
		w.u32(0); // reserved
		w.u32(0); // duration
		w.zeros(8); // reserved
		w.u16(0); // layer
		w.u16(0); // alternate_group
		w.u16(entry.kind === "audio" ? 0x0100 : 0); // volume
		w.u16(0); // reserved
		unityMatrix(w);
		w.u16(video.width); // 16.16
		w.u16(0);
		w.u16(video.height);
		w.u16(0);
	});
}

function unityMatrix(w: ByteWriter): void {
	for (const value of [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]) w.u32(value);
}

/** Media Header Box: declares overall information that is relevant to characteristics of the media in a track. */
function mdhd(w: ByteWriter, timescale: number): void {
	fullBox(w, "mdhd", 0, 0, () => {
		w.u32(0); // creation_time
		w.u32(0); // modification_time
		w.u32(timescale);
		w.u32(0); // duration
		w.u16(UNDETERMINED_LANGUAGE);
		w.u16(0); // pre_defined
	});
}

/** Handler Reference Box: declares the process by which the media-data in the track is presented. */
function hdlr(w: ByteWriter, kind: SampleEntry["kind"]): void {
	fullBox(w, "hdlr", 0, 0, () => {
		w.u32(0); // pre_defined
		w.latin1(kind === "video" ? "vide" : "soun"); // handler_type
		w.zeros(12); // reserved
		w.latin1(kind === "video" ? "VideoHandler\0" : "SoundHandler\0"); // name
	});
}

/** Video Media Header Box: contains general presentation information for video media. */
function vmhd(w: ByteWriter): void {
	fullBox(w, "vmhd", 0, 1, () => {
		w.u16(0); // graphicsmode: copy
		w.zeros(6); // opcolor
	});
}

/** Sound Media Header Box: contains general presentation information for audio media. */
function smhd(w: ByteWriter): void {
	fullBox(w, "smhd", 0, 0, () => {
		w.u16(0); // balance: centre
		w.u16(0); // reserved
	});
}

/** Data Information Box with the Data Reference Box: declares where the media is: in the same file. */
function dinf(w: ByteWriter): void {
	w.box("dinf", () => {
		fullBox(w, "dref", 0, 0, () => {
			w.u32(1); // entry_count
			fullBox(w, "url ", 0, 1, () => undefined);
		});
	});
}

/** Sample Table Box: describes the format, and no sample: those are in the fragments. */
function stbl(w: ByteWriter, entry: SampleEntry): void {
	w.box("stbl", () => {
		fullBox(w, "stsd", 0, 0, () => {
			w.u32(1); // entry_count
			entry.write(w);
		});
		fullBox(w, "stts", 0, 0, () => w.u32(0)); // entry_count
		fullBox(w, "stsc", 0, 0, () => w.u32(0)); // entry_count
		fullBox(w, "stsz", 0, 0, () => w.zeros(8)); // sample_size, sample_count
		fullBox(w, "stco", 0, 0, () => w.u32(0)); // entry_count
	});
}

/** Track Extends Box: sets up default values used by the movie fragments. */
function trex(w: ByteWriter, kind: SampleEntry["kind"]): void {
	fullBox(w, "trex", 0, 0, () => {
		w.u32(TRACK_ID);
		w.u32(1); // default_sample_description_index
		w.u32(0); // default_sample_duration
		w.u32(0); // default_sample_size
		w.u32(kind === "video" ? NON_SYNC_SAMPLE_FLAGS : SYNC_SAMPLE_FLAGS); // default_sample_flags
	});
}
