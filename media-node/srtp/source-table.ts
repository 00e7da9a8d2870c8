import { ReplayWindow } from "./replay-window.ts";

/** How many sources a context knows: the SSRCs of a session, and some that were changed. */
export const MAX_SOURCES = 64;

/** The longest packet that is taken: what UDP can carry. */
export const MAX_PACKET_BYTES = 65_535;

/** How many packets were refused, by reason. */
export type Refusals = {
	/** Too short, too long or not of version 2. */
	malformed: number;
	/** The tag or the master key identifier is wrong: of another key, or tampered with. */
	unauthenticated: number;
	/** It was there before, or is too old to know. */
	replayed: number;
	/** From more than {@link MAX_SOURCES} sources. */
	sources: number;
	/** The source has used up all indices of the key. RFC 3711 §9.2. */
	exhausted: number;
};

export function newRefusals(): Refusals {
	return { malformed: 0, unauthenticated: 0, replayed: 0, sources: 0, exhausted: 0 };
}

/** What is known about the packets of a source. */
export type Source = {
	readonly ssrc: number;
	readonly window: ReplayWindow;
	/** The roll-over counter that was told before the first packet came; -1 if none was. */
	readonly rollover: number;
};

/** The sources of a context, by SSRC, no more than {@link MAX_SOURCES}. */
export class SourceTable {
	readonly #sources = new Map<number, Source>();
	/** Packets mostly come from the same source as the one before. */
	#last: Source | undefined;

	get full(): boolean {
		return this.#sources.size >= MAX_SOURCES;
	}

	find(ssrc: number): Source | undefined {
		if (this.#last?.ssrc === ssrc) return this.#last;
		const source = this.#sources.get(ssrc);
		if (source !== undefined) this.#last = source;
		return source;
	}

	/** Begins a source anew. The caller has checked that there is room. */
	add(ssrc: number, rollover = -1): Source {
		const source: Source = { ssrc, window: new ReplayWindow(), rollover };
		this.#sources.set(ssrc, source);
		this.#last = source;
		return source;
	}
}
