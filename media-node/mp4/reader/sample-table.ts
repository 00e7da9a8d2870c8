import { ProtocolError } from "#shared/problem.ts";
import { u8, u32 } from "../../bytes/big-endian.ts";
import { ByteReader } from "../../bytes/byte-reader.ts";
import { type Box, findBox } from "./box-walk.ts";

/** Where a sample is and when. Times are ticks of the track's timescale in the file. */
export type Mp4Sample = {
	readonly offset: number;
	readonly size: number;
	readonly dts: number;
	/** From `dts` to the presentation time. */
	readonly composition: number;
	readonly duration: number;
	readonly sync: boolean;
};

/** The entries of a table in a full box, as bytes: it may be of millions. */
type Rows = { readonly bytes: Uint8Array; readonly count: number };

const NO_ROWS: Rows = { bytes: new Uint8Array(0), count: 0 };
/** PCM comes in units of at most so many samples of the file, which are one sample of sound each. */
export const MAX_PCM_RUN = 1_024;

/**
 * The samples of a track, ISO 14496-12 §8.6 and §8.7, in order, read from the tables as they are asked for: so a file
 * of a day takes no more memory than its tables do. `pcmBlockBytes` is of sound whose every sample is one of the
 * file's; runs of them in a chunk are put together.
 */
export class SampleTable {
	readonly #times: Rows;
	readonly #compositions: Rows;
	readonly #syncs: Rows | null;
	readonly #chunkRuns: Rows;
	readonly #chunks: Rows;
	readonly #chunkBytes: 4 | 8;
	readonly #sizes: Uint8Array;
	readonly #sizeBits: number;
	readonly #fixedSize: number;
	readonly #pcm: boolean;
	/** How many samples the table of sizes tells of. */
	readonly count: number;

	/** @throws ProtocolError `bytes.truncated`, `bytes.malformed` */
	constructor(stbl: readonly Box[], pcmBlockBytes: number | null) {
		this.#pcm = pcmBlockBytes !== null;
		this.#times = rowsOf(stbl, "stts", 8) ?? NO_ROWS;
		this.#compositions = rowsOf(stbl, "ctts", 8) ?? NO_ROWS;
		this.#syncs = rowsOf(stbl, "stss", 4);
		this.#chunkRuns = rowsOf(stbl, "stsc", 12) ?? NO_ROWS;
		const large = rowsOf(stbl, "co64", 8);
		this.#chunks = large ?? rowsOf(stbl, "stco", 4) ?? NO_ROWS;
		this.#chunkBytes = large === null ? 4 : 8;
		const sizes = sizesOf(stbl);
		this.#sizes = sizes.bytes;
		this.#sizeBits = sizes.bits;
		this.#fixedSize = pcmBlockBytes ?? sizes.fixed;
		this.count = sizes.count;
	}

	/** @throws ProtocolError `bytes.malformed` when the tables contradict each other */
	*samples(): Generator<Mp4Sample, void, void> {
		const times = new RunReader(this.#times);
		const compositions = new RunReader(this.#compositions);
		let dts = 0;
		let sample = 0;
		let sync = 0;
		let run = 0;
		for (let chunk = 0; chunk < this.#chunks.count && sample < this.count; chunk++) {
			// Chunks are counted from 1 in the table.
			while (run + 1 < this.#chunkRuns.count && u32(this.#chunkRuns.bytes, (run + 1) * 12) <= chunk + 1) run++;
			if (run >= this.#chunkRuns.count) throw malformed("no run of chunks");
			let left = Math.min(u32(this.#chunkRuns.bytes, run * 12 + 4), this.count - sample);
			let offset = this.#offsetOf(chunk);
			while (left > 0) {
				const taken = this.#pcm ? Math.min(left, MAX_PCM_RUN, times.left) : 1;
				if (taken === 0) throw malformed("no duration of a sample");
				const size = this.#pcm ? taken * this.#fixedSize : this.#sizeOf(sample);
				const duration = times.value * taken;
				times.skip(taken);
				const composition = this.#compositions.count === 0 ? 0 : compositions.value | 0;
				compositions.skip(taken);
				while (this.#syncs !== null && sync < this.#syncs.count && u32(this.#syncs.bytes, sync * 4) <= sample) sync++;
				const isSync =
					this.#syncs === null || (sync < this.#syncs.count && u32(this.#syncs.bytes, sync * 4) === sample + 1);
				yield { offset, size, dts, composition, duration, sync: isSync };
				dts += duration;
				offset += size;
				sample += taken;
				left -= taken;
			}
		}
		if (sample < this.count) throw malformed(`places for ${sample} of ${this.count} samples only`);
	}

	#offsetOf(chunk: number): number {
		const at = chunk * this.#chunkBytes;
		const { bytes } = this.#chunks;
		return this.#chunkBytes === 4 ? u32(bytes, at) : u32(bytes, at) * 2 ** 32 + u32(bytes, at + 4);
	}

	#sizeOf(sample: number): number {
		if (this.#fixedSize > 0) return this.#fixedSize;
		if (this.#sizeBits === 32) return u32(this.#sizes, sample * 4);
		if (this.#sizeBits === 16) return (u8(this.#sizes, sample * 2) << 8) | u8(this.#sizes, sample * 2 + 1);
		if (this.#sizeBits === 8) return u8(this.#sizes, sample);
		return (u8(this.#sizes, sample >> 1) >> (sample % 2 === 0 ? 4 : 0)) & 0x0f;
	}
}

/** Reads a table of runs: each of a count and the value that so many samples have. */
class RunReader {
	readonly #rows: Rows;
	#row = -1;
	#left = 0;
	#value = 0;

	constructor(rows: Rows) {
		this.#rows = rows;
		this.#next();
	}

	/** Of the next sample; that of the last run behind the end. */
	get value(): number {
		return this.#value;
	}

	/** How many samples in a row have this value; 0 behind the end. */
	get left(): number {
		return this.#left;
	}

	/** Goes on by `count`, which is at most 1 or what is left. */
	skip(count: number): void {
		this.#left = Math.max(0, this.#left - count);
		if (this.#left === 0) this.#next();
	}

	#next(): void {
		while (this.#left === 0 && this.#row + 1 < this.#rows.count) {
			this.#row++;
			this.#left = u32(this.#rows.bytes, this.#row * 8);
			this.#value = u32(this.#rows.bytes, this.#row * 8 + 4);
		}
	}
}

/** The rows of a table that begins with their count; `null` when there is no such box. */
function rowsOf(stbl: readonly Box[], type: string, rowBytes: number): Rows | null {
	const body = findBox(stbl, type);
	if (body === null) return null;
	const r = new ByteReader(body);
	r.skip(4); // version, flags
	const count = r.u32();
	return { bytes: r.bytes(count * rowBytes), count };
}

type Sizes = { readonly bytes: Uint8Array; readonly bits: number; readonly fixed: number; readonly count: number };

/** `stsz` or `stz2`, ISO 14496-12 §8.7.3. */
function sizesOf(stbl: readonly Box[]): Sizes {
	const compact = findBox(stbl, "stz2");
	const body = compact ?? findBox(stbl, "stsz");
	if (body === null) return { bytes: NO_ROWS.bytes, bits: 32, fixed: 0, count: 0 };
	const r = new ByteReader(body);
	r.skip(4); // version, flags
	const told = r.u32();
	const count = r.u32();
	if (compact === null && told > 0) return { bytes: NO_ROWS.bytes, bits: 32, fixed: told, count };
	const bits = compact === null ? 32 : told & 0xff;
	if (bits !== 4 && bits !== 8 && bits !== 16 && bits !== 32) throw malformed(`sizes of ${bits} bits`);
	return { bytes: r.bytes(Math.ceil((count * bits) / 8)), bits, fixed: 0, count };
}

function malformed(what: string): ProtocolError {
	return new ProtocolError("bytes.malformed", `The tables of an MP4 track have ${what}`);
}
