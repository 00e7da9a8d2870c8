import type { SluiceError } from "#shared/problem.ts";
import type { UnitSink } from "./sink.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";

/** Keeps the units of a video track from a sink until the first one where a decoder can begin, after each `begin`. */
export class GatedUnitSink implements UnitSink {
	readonly #sink: UnitSink;
	/** By track: still waits. */
	#waiting: boolean[] = [];

	constructor(sink: UnitSink) {
		this.#sink = sink;
	}

	begin(tracks: readonly Track[]): void {
		this.#waiting = tracks.map((track) => track.kind === "video");
		this.#sink.begin(tracks);
	}

	push(unit: Unit): void {
		const { index } = unit.track;
		if (this.#waiting[index] === true) {
			if (!unit.randomAccess) return;
			this.#waiting[index] = false;
		}
		this.#sink.push(unit);
	}

	pause(): void {
		this.#sink.pause();
	}

	end(reason: SluiceError): void {
		this.#sink.end(reason);
	}
}
