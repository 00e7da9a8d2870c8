import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "../../bytes/byte-reader.ts";
import { type Box, findBox, findPath, parseBoxes } from "./box-walk.ts";
import { NO_DEFAULTS, parseDefaults, type SampleDefaults } from "./fragment-table.ts";
import { parseSampleDescription, type SampleDescription } from "./sample-description.ts";
import { SampleTable } from "./sample-table.ts";

/** A track of a movie, as far as it is played. */
export type MovieTrack = SampleDescription & {
	readonly id: number;
	/** Ticks per second of the times in the file. */
	readonly timescale: number;
	/** Ticks of the file from a presentation time in its media to one of the movie. */
	readonly shift: number;
	readonly table: SampleTable;
	readonly defaults: SampleDefaults;
};

/** The most tracks that are looked at. */
const MAX_TRACKS = 32;

/**
 * Parses the body of a `moov` box: the tracks whose codec is carried further.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`
 */
export function parseMovie(moov: Uint8Array): MovieTrack[] {
	const boxes = parseBoxes(moov);
	const timescale = timescaleOf(findBox(boxes, "mvhd"), "mvhd");
	const mvex = findBox(boxes, "mvex");
	const defaults = mvex === null ? new Map<number, SampleDefaults>() : parseDefaults(mvex);
	const tracks: MovieTrack[] = [];
	for (const { type, body } of boxes) {
		if (type !== "trak") continue;
		const track = parseTrack(parseBoxes(body), timescale, defaults);
		if (track !== null) tracks.push(track);
		if (tracks.length === MAX_TRACKS) break;
	}
	return tracks;
}

function parseTrack(
	trak: readonly Box[],
	movieTimescale: number,
	defaults: ReadonlyMap<number, SampleDefaults>,
): MovieTrack | null {
	const mdia = findBox(trak, "mdia");
	if (mdia === null) return null;
	const media = parseBoxes(mdia);
	const minf = findPath(media, "minf", "stbl");
	const hdlr = findBox(media, "hdlr");
	if (minf === null || hdlr === null) return null;
	const handler = new ByteReader(hdlr);
	handler.skip(8); // version, flags, pre_defined
	const stbl = parseBoxes(minf);
	const stsd = findBox(stbl, "stsd");
	const description = stsd === null ? null : parseSampleDescription(stsd, handler.latin1(4));
	if (description === null) return null;
	const timescale = timescaleOf(findBox(media, "mdhd"), "mdhd");
	const id = trackIdOf(findBox(trak, "tkhd"));
	const { layout } = description;
	return {
		...description,
		id,
		timescale,
		shift: shiftOf(findPath(trak, "edts", "elst"), timescale / movieTimescale),
		table: new SampleTable(stbl, layout.kind === "pcm" ? layout.blockBytes : null),
		defaults: defaults.get(id) ?? NO_DEFAULTS,
	};
}

/** Of a movie or media header, ISO 14496-12 §8.2.2 and §8.4.2. */
function timescaleOf(header: Uint8Array | null, type: string): number {
	if (header === null) throw new ProtocolError("bytes.malformed", `The MP4 file has no ${type} box where one belongs`);
	const r = new ByteReader(header);
	const version = r.u8();
	r.skip(3 + (version === 1 ? 16 : 8)); // flags, times of creation and modification
	const timescale = r.u32();
	if (timescale > 0) return timescale;
	throw new ProtocolError("bytes.malformed", `The ${type} box of the MP4 file has a timescale of 0`);
}

/** Track Header Box, §8.3.2. */
function trackIdOf(tkhd: Uint8Array | null): number {
	if (tkhd === null) throw new ProtocolError("bytes.malformed", "A track of the MP4 file has no tkhd box");
	const r = new ByteReader(tkhd);
	const version = r.u8();
	r.skip(3 + (version === 1 ? 16 : 8));
	return r.u32();
}

/** The most edits before the first one that shows something. */
const MAX_EMPTY_EDITS = 16;

/**
 * What an Edit List Box (§8.6.6) does to the times of its track: empty edits delay it, and the first other one begins in
 * the midst of it. What else an edit can do is not done: cameras and encoders only make the tracks begin together.
 */
function shiftOf(elst: Uint8Array | null, ticksPerMovieTick: number): number {
	if (elst === null) return 0;
	const r = new ByteReader(elst);
	const isLong = r.u8() === 1;
	r.skip(3);
	let delay = 0;
	for (let left = Math.min(r.u32(), MAX_EMPTY_EDITS); left > 0; left--) {
		const duration = isLong ? r.u64() : r.u32();
		const high = isLong ? r.u32() : 0;
		const low = r.u32();
		r.skip(4); // media_rate
		const isEmpty = isLong ? high === 0xffff_ffff : low === 0xffff_ffff;
		if (!isEmpty) return Math.round(delay * ticksPerMovieTick) - (high * 2 ** 32 + low);
		delay += duration;
	}
	return Math.round(delay * ticksPerMovieTick);
}
