import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "../../bytes/byte-reader.ts";
import { findBox, parseBoxes } from "./box-walk.ts";
import type { Mp4Sample } from "./sample-table.ts";

/** What a `trex` or `tfhd` says of samples whose run says nothing, ISO 14496-12 §8.8.3. */
export type SampleDefaults = { readonly duration: number; readonly size: number; readonly flags: number };

export const NO_DEFAULTS: SampleDefaults = { duration: 0, size: 0, flags: 0 };

/** The most samples of a fragment. */
const MAX_FRAGMENT_SAMPLES = 262_144;
const NON_SYNC_FLAG = 0x10000;

/** The defaults of each track by its ID, from the body of an `mvex`. */
export function parseDefaults(mvex: Uint8Array): ReadonlyMap<number, SampleDefaults> {
	const defaults = new Map<number, SampleDefaults>();
	for (const { type, body } of parseBoxes(mvex)) {
		if (type !== "trex") continue;
		const r = new ByteReader(body);
		r.skip(4); // version, flags
		const trackId = r.u32();
		r.skip(4); // default_sample_description_index
		defaults.set(trackId, { duration: r.u32(), size: r.u32(), flags: r.u32() });
	}
	return defaults;
}

/** The samples of one track in a fragment. */
export type TrackFragment = {
	readonly trackId: number;
	readonly samples: readonly Mp4Sample[];
	/** When the next fragment of the track begins, unless that says otherwise. */
	readonly nextDts: number;
};

/**
 * Parses the body of a `moof` box that begins at `moofOffset` of the file, ISO 14496-12 §8.8.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`
 */
export function parseFragment(
	moof: Uint8Array,
	moofOffset: number,
	defaultsOf: (trackId: number) => SampleDefaults,
	nextDtsOf: (trackId: number) => number,
): TrackFragment[] {
	const fragments: TrackFragment[] = [];
	let end = moofOffset;
	for (const { type, body } of parseBoxes(moof)) {
		if (type !== "traf") continue;
		const boxes = parseBoxes(body);
		const head = parseHead(findBox(boxes, "tfhd"), defaultsOf);
		const base = head.baseOffset ?? (head.baseIsMoof || fragments.length === 0 ? moofOffset : end);
		let dts = decodeTime(findBox(boxes, "tfdt")) ?? nextDtsOf(head.trackId);
		const samples: Mp4Sample[] = [];
		end = base;
		for (const run of boxes) {
			if (run.type !== "trun") continue;
			({ dts, end } = readRun(run.body, head.defaults, { base, end, dts }, samples));
		}
		fragments.push({ trackId: head.trackId, samples, nextDts: dts });
	}
	return fragments;
}

type Head = {
	readonly trackId: number;
	readonly baseOffset: number | null;
	readonly baseIsMoof: boolean;
	readonly defaults: SampleDefaults;
};

/** Track Fragment Header Box, §8.8.7. */
function parseHead(tfhd: Uint8Array | null, defaultsOf: (trackId: number) => SampleDefaults): Head {
	if (tfhd === null) throw new ProtocolError("bytes.malformed", "A fragment of the MP4 file has no tfhd box");
	const r = new ByteReader(tfhd);
	const flags = r.u32() & 0xffffff;
	const trackId = r.u32();
	const defaults = defaultsOf(trackId);
	const baseOffset = (flags & 0x1) !== 0 ? r.u64() : null;
	if ((flags & 0x2) !== 0) r.skip(4); // sample_description_index
	return {
		trackId,
		baseOffset,
		baseIsMoof: (flags & 0x20000) !== 0,
		defaults: {
			duration: (flags & 0x8) !== 0 ? r.u32() : defaults.duration,
			size: (flags & 0x10) !== 0 ? r.u32() : defaults.size,
			flags: (flags & 0x20) !== 0 ? r.u32() : defaults.flags,
		},
	};
}

/** Track Fragment Decode Time Box, §8.8.12. */
function decodeTime(tfdt: Uint8Array | null): number | null {
	if (tfdt === null) return null;
	const r = new ByteReader(tfdt);
	return r.u32() >>> 24 === 1 ? r.u64() : r.u32();
}

type Place = { readonly base: number; readonly end: number; readonly dts: number };

/** Track Fragment Run Box, §8.8.8: adds its samples, and gives where and when they end. */
function readRun(body: Uint8Array, defaults: SampleDefaults, place: Place, samples: Mp4Sample[]): Place {
	const r = new ByteReader(body);
	const flags = r.u32() & 0xffffff;
	const count = r.u32();
	if (samples.length + count > MAX_FRAGMENT_SAMPLES) {
		throw new ProtocolError("bytes.limit", `A fragment of the MP4 file has more than ${MAX_FRAGMENT_SAMPLES} samples`);
	}
	let offset = (flags & 0x1) !== 0 ? place.base + (r.u32() | 0) : place.end;
	let firstFlags = (flags & 0x4) !== 0 ? r.u32() : null;
	let { dts } = place;
	for (let i = 0; i < count; i++) {
		const duration = (flags & 0x100) !== 0 ? r.u32() : defaults.duration;
		const size = (flags & 0x200) !== 0 ? r.u32() : defaults.size;
		const told = (flags & 0x400) !== 0 ? r.u32() : defaults.flags;
		const composition = (flags & 0x800) !== 0 ? r.u32() | 0 : 0;
		const sync = ((firstFlags ?? told) & NON_SYNC_FLAG) === 0;
		firstFlags = null;
		samples.push({ offset, size, dts, composition, duration, sync });
		offset += size;
		dts += duration;
	}
	return { base: place.base, end: offset, dts };
}

/** The same samples with runs of at most `most` that follow one another in the file put together: of PCM, each is one. */
export function joinedSamples(samples: readonly Mp4Sample[], most: number): Mp4Sample[] {
	const joined: Mp4Sample[] = [];
	let run = 0;
	for (const sample of samples) {
		const last = joined.at(-1);
		if (last === undefined || run === most || last.offset + last.size !== sample.offset) {
			joined.push(sample);
			run = 1;
			continue;
		}
		const size = last.size + sample.size;
		joined[joined.length - 1] = { ...last, size, duration: last.duration + sample.duration };
		run++;
	}
	return joined;
}
