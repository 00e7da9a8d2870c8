import type { SluiceError } from "#shared/problem.ts";
import type { Publication } from "./publication.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";

/** Media that is kept until the stream is open: seconds of what a camera sends. */
export const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** What an entry takes beside its media. */
const ENTRY_BYTES = 64;

export type HeldPublicationOptions = {
	readonly tracks: readonly Omit<Track, "index">[];
	/** The publication, as soon as the stream is open. It is closed if that is too late. */
	readonly opening: Promise<Publication>;
	/** The stream could not be opened. Called at most once, and not after `close`. Must not throw. */
	readonly onFailed: (error: unknown) => void;
};

/**
 * A publication that takes media while the stream is being opened, and hands it on as soon as it is: for sources that
 * do not wait. What is more than {@link MAX_HELD_BYTES} until then is left out.
 */
export class HeldPublication implements Publication {
	readonly #tracks: readonly Track[];
	#held: ((to: Publication) => void)[] = [];
	#heldBytes = 0;
	#real: Publication | null = null;
	#isClosed = false;
	#reason: SluiceError | undefined;

	constructor({ tracks, opening, onFailed }: HeldPublicationOptions) {
		this.#tracks = tracks.map((track, index) => ({ ...track, index }));
		opening.then(
			(real) => this.#begin(real),
			(error: unknown) => {
				this.#held = [];
				if (!this.#isClosed) onFailed(error);
				this.#isClosed = true;
			},
		);
	}

	get tracks(): readonly Track[] {
		return this.#real?.tracks ?? this.#tracks;
	}

	writePacket(track: number, bytes: Uint8Array, offset: number, length: number): void {
		if (this.#real !== null) {
			this.#real.writePacket(track, bytes, offset, length);
		} else if (this.#hasRoom(length)) {
			const copy = new Uint8Array(bytes.subarray(offset, offset + length));
			this.#held.push((to) => to.writePacket(track, copy, 0, copy.length));
		}
	}

	flush(): void {
		if (this.#real !== null) this.#real.flush();
		else if (this.#hasRoom(0)) this.#held.push((to) => to.flush());
	}

	writeSenderReport(track: number, report: { readonly wallclockMs: number; readonly rtpTime: number }): void {
		if (this.#real !== null) this.#real.writeSenderReport(track, report);
		else if (this.#hasRoom(0)) this.#held.push((to) => to.writeSenderReport(track, report));
	}

	writeUnit(track: number, unit: Omit<Unit, "track">): void {
		if (this.#real !== null) {
			this.#real.writeUnit(track, unit);
		} else if (this.#hasRoom(unit.frames.reduce((sum, frame) => sum + frame.length + ENTRY_BYTES, 0))) {
			const copy = { ...unit, frames: unit.frames.map((frame) => new Uint8Array(frame)) };
			this.#held.push((to) => to.writeUnit(track, copy));
		}
	}

	close(reason?: SluiceError): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#reason = reason;
		this.#held = [];
		this.#real?.close(reason);
	}

	#hasRoom(bytes: number): boolean {
		if (this.#isClosed || this.#heldBytes + bytes + ENTRY_BYTES > MAX_HELD_BYTES) return false;
		this.#heldBytes += bytes + ENTRY_BYTES;
		return true;
	}

	#begin(real: Publication): void {
		if (this.#isClosed) {
			real.close(this.#reason);
			return;
		}
		this.#real = real;
		for (const write of this.#held) write(real);
		this.#held = [];
		real.flush();
	}
}
