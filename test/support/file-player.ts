import { playFile } from "../../media-node/file/play-file.ts";
import type { Publication } from "../../media-node/stream/publication.ts";
import type { Track } from "../../media-node/stream/track.ts";
import type { Unit } from "../../media-node/stream/unit.ts";
import { FakeClock } from "./fake-clock.ts";

export type PlayedUnit = Omit<Unit, "track"> & {
	readonly track: number;
	/** When it was written, and when it was flushed, by the monotonic clock. */
	readonly atMs: number;
	flushedMs: number;
};

export type Played = {
	readonly tracks: readonly Omit<Track, "index">[];
	readonly units: readonly PlayedUnit[];
	/** How the publication was closed; `undefined` when it was not. */
	readonly closed: unknown;
	readonly error: unknown;
	readonly clock: FakeClock;
};

export type PlayOptions = {
	readonly loop?: boolean;
	/** It is stopped after so many units. */
	readonly units?: number;
};

/** Plays a file on a clock that moves as fast as it is waited for. */
export async function play(
	file: string,
	{ loop = false, units: wanted = Infinity }: PlayOptions = {},
): Promise<Played> {
	const clock = new FakeClock();
	const stop = new AbortController();
	const units: PlayedUnit[] = [];
	let tracks: readonly Omit<Track, "index">[] = [];
	let closed: unknown;
	let error: unknown = null;
	let running = true;
	const publication: Publication = {
		tracks: [],
		writePacket: () => {},
		writeSenderReport: () => {},
		flush() {
			for (let i = units.length - 1; i >= 0 && Number.isNaN(units[i]!.flushedMs); i--) {
				units[i]!.flushedMs = clock.monotonic();
			}
		},
		writeUnit(track, unit) {
			units.push({ ...unit, track, atMs: clock.monotonic(), flushedMs: Number.NaN });
			if (units.length >= wanted) stop.abort();
		},
		close(reason) {
			closed = reason ?? null;
		},
	};
	const publish = async (offered: readonly Omit<Track, "index">[]) => {
		tracks = offered;
		return publication;
	};
	const done = playFile({ file, signal: stop.signal, clock, loop, publish })
		.catch((reason: unknown) => {
			error = reason;
		})
		.finally(() => {
			running = false;
		});
	while (running) {
		await new Promise((resolve) => setImmediate(resolve));
		const next = clock.nextAt;
		if (next !== null) await clock.advance(next - clock.now());
	}
	await done;
	return { tracks, units, closed, error, clock };
}
