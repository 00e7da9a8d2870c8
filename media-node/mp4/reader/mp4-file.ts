import { ProtocolError } from "#shared/problem.ts";
import type { Codec } from "../../codecs/codec.ts";
import { boxType, parseBoxHead } from "./box-walk.ts";
import { joinedSamples, parseFragment } from "./fragment-table.ts";
import { type Lane, merged } from "./merge.ts";
import { type MovieTrack, parseMovie } from "./movie.ts";
import { type Mp4Port, ReadWindow, readExactly } from "./mp4-port.ts";
import { rescaled } from "./rescale.ts";
import { framesOf } from "./sample-frames.ts";
import { MAX_PCM_RUN, type Mp4Sample } from "./sample-table.ts";

/** A track of an MP4 file. */
export type Mp4Track = { readonly kind: "video" | "audio"; readonly codec: Codec; readonly clockRate: number };

/** A sample, in ticks of its track's clock rate. */
export type Mp4Unit = {
	readonly trackIndex: number;
	readonly pts: number;
	readonly dts: number;
	readonly duration: number;
	/** A decoder can begin here, as the file says. */
	readonly randomAccess: boolean;
	readonly frames: readonly Uint8Array[];
};

/** The largest `moov`: of a file of a day it is a third of that. */
export const MAX_MOOV_BYTES = 128 * 1024 * 1024;
export const MAX_MOOF_BYTES = 16 * 1024 * 1024;
export const MAX_SAMPLE_BYTES = 8 * 1024 * 1024;
/** The most boxes before the `moov`. */
const MAX_BOXES_BEFORE = 4_096;
const HEAD_BYTES = 16;
/** What is shorter at the end of a file is no box. */
const MIN_BOX_BYTES = 8;

/** An MP4 file, ISO 14496-12, that is read as it is played: its movie at once, and each sample when it is asked for. */
export class Mp4File {
	readonly #port: Mp4Port;
	readonly #tracks: readonly MovieTrack[];
	readonly #fragmentsFrom: number;

	private constructor(port: Mp4Port, tracks: readonly MovieTrack[], fragmentsFrom: number) {
		this.#port = port;
		this.#tracks = tracks;
		this.#fragmentsFrom = fragmentsFrom;
	}

	/**
	 * Reads the movie of a file. The port is the caller's to close.
	 *
	 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`: the file is damaged or cut off
	 */
	static async open(port: Mp4Port): Promise<Mp4File> {
		let at = 0;
		for (let count = 0; at < port.size && count < MAX_BOXES_BEFORE; count++) {
			const { type, headerBytes, end } = await headAt(port, at);
			if (type === "moov") {
				const length = end - at - headerBytes;
				if (length > MAX_MOOV_BYTES) throw tooLarge("moov", length, MAX_MOOV_BYTES);
				const moov = await readExactly(port, at + headerBytes, length);
				return new Mp4File(port, parseMovie(moov), end);
			}
			at = end;
		}
		throw new ProtocolError("bytes.malformed", "The MP4 file has no moov box: it was not finished, or is damaged");
	}

	/** Those whose codec is known. */
	get tracks(): readonly Mp4Track[] {
		return this.#tracks.map(({ kind, codec, clockRate }) => ({ kind, codec, clockRate }));
	}

	/**
	 * The samples of the tracks whose indices are `wanted`, in order of their decoding times; one that is malformed is
	 * left out.
	 *
	 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `bytes.limit`
	 */
	async *units(wanted: readonly number[]): AsyncGenerator<Mp4Unit, void, void> {
		const lanes = this.#tracks.map((track, index) => ({ track, index, window: new ReadWindow(this.#port) }));
		const chosen = lanes.filter(({ index }) => wanted.includes(index));
		for (const { lane, sample } of merged(chosen.map((lane) => laneOf(lane, lane.track.table.samples())))) {
			const unit = await unitOf(lane.track, lane.index, sample, lane.window);
			if (unit !== null) yield unit;
		}
		for await (const fragment of this.#fragments()) {
			const parts = chosen.map((lane) => laneOf(lane, fragmentOf(lane.track, fragment).values()));
			for (const { lane, sample } of merged(parts)) {
				const unit = await unitOf(lane.track, lane.index, sample, lane.window);
				if (unit !== null) yield unit;
			}
		}
	}

	/** The samples of each fragment, by track ID. */
	async *#fragments(): AsyncGenerator<ReadonlyMap<number, readonly Mp4Sample[]>, void, void> {
		const next = new Map<number, number>();
		const defaultsOf = (id: number) => {
			const track = this.#tracks.find((candidate) => candidate.id === id);
			return track?.defaults ?? { duration: 0, size: 0, flags: 0 };
		};
		for (let at = this.#fragmentsFrom; at + MIN_BOX_BYTES <= this.#port.size; ) {
			const { type, headerBytes, end } = await headAt(this.#port, at);
			if (type === "moof") {
				const length = end - at - headerBytes;
				if (length > MAX_MOOF_BYTES) throw tooLarge("moof", length, MAX_MOOF_BYTES);
				const moof = await readExactly(this.#port, at + headerBytes, length);
				const samples = new Map<number, readonly Mp4Sample[]>();
				for (const part of parseFragment(moof, at, defaultsOf, (id) => next.get(id) ?? 0)) {
					samples.set(part.trackId, [...(samples.get(part.trackId) ?? []), ...part.samples]);
					next.set(part.trackId, part.nextDts);
				}
				yield samples;
			}
			at = end;
		}
	}
}

type OpenLane = { readonly track: MovieTrack; readonly index: number; readonly window: ReadWindow };

function fragmentOf(
	{ id, layout }: MovieTrack,
	fragment: ReadonlyMap<number, readonly Mp4Sample[]>,
): readonly Mp4Sample[] {
	const samples = fragment.get(id) ?? [];
	return layout.kind === "pcm" ? joinedSamples(samples, MAX_PCM_RUN) : samples;
}

function laneOf(lane: OpenLane, samples: Iterator<Mp4Sample>): Lane<OpenLane> {
	return { lane, samples, timescale: lane.track.timescale, shift: lane.track.shift };
}

async function unitOf(
	track: MovieTrack,
	trackIndex: number,
	sample: Mp4Sample,
	window: ReadWindow,
): Promise<Mp4Unit | null> {
	if (sample.size > MAX_SAMPLE_BYTES) throw tooLarge("sample", sample.size, MAX_SAMPLE_BYTES);
	if (sample.size === 0) return null;
	const frames = framesOf(track.layout, await window.read(sample.offset, sample.size));
	if (frames === null) return null;
	const { timescale, clockRate, shift } = track;
	const dts = rescaled(sample.dts + shift, timescale, clockRate);
	return {
		trackIndex,
		dts,
		pts: rescaled(sample.dts + sample.composition + shift, timescale, clockRate),
		duration: rescaled(sample.dts + sample.duration + shift, timescale, clockRate) - dts,
		randomAccess: sample.sync || track.kind === "audio",
		frames,
	};
}

/** The box at `at`, which must end within the file. */
async function headAt(
	port: Mp4Port,
	at: number,
): Promise<{ readonly type: string; readonly headerBytes: number; readonly end: number }> {
	const head = await port.read(at, HEAD_BYTES);
	if (head.length < 8) throw new ProtocolError("bytes.truncated", `The MP4 file ends in the head of a box at ${at}`);
	const { type, headerBytes, size } = parseBoxHead(head, 0);
	const end = size === null ? port.size : at + size;
	if (end > port.size) {
		throw new ProtocolError("bytes.truncated", `The MP4 file ends in a box ${type} of ${size} bytes at ${at}`);
	}
	return { type, headerBytes, end };
}

function tooLarge(what: string, bytes: number, most: number): ProtocolError {
	return new ProtocolError("bytes.limit", `The MP4 file has a ${what} of ${bytes} bytes; at most ${most} are read`);
}

/** Types of boxes that a file may begin with. */
const FIRST_TYPES: ReadonlySet<string> = new Set(["ftyp", "styp", "moov", "mdat", "free", "skip", "wide", "pnot"]);

/** Says whether `head`, the beginning of a file, is of an MP4 or QuickTime file. Never throws. */
export function isMp4(head: Uint8Array): boolean {
	return head.length >= 8 && FIRST_TYPES.has(boxType(head, 4));
}
