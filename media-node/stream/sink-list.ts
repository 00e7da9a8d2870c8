import { GoneError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";

type Entry<S> = { readonly sink: S; live: boolean };

/**
 * The sinks of one stream. A sink may leave, and others may come, in the middle of a round. One that throws is thrown
 * out, and the rest go on.
 */
export class SinkList<S extends { end(reason: SluiceError): void }> {
	readonly #log: Logger;
	readonly #onRemoved: ((sink: S) => void) | undefined;
	/** Replaced, and not changed, during a round: that goes on over the list that it began with. */
	#entries: Entry<S>[] = [];
	#rounds = 0;

	/** `onRemoved` hears of each sink that is in the list no more, whyever. */
	constructor(log: Logger, onRemoved?: (sink: S) => void) {
		this.#log = log;
		this.#onRemoved = onRemoved;
	}

	get size(): number {
		return this.#entries.length;
	}

	/** Adds a sink, last. Disposing takes it out again, without a word to it. */
	add(sink: S): Disposable {
		const entry: Entry<S> = { sink, live: true };
		// A list of its own for each of thousands that come would be much garbage.
		if (this.#rounds === 0) this.#entries.push(entry);
		else this.#entries = [...this.#entries, entry];
		return { [Symbol.dispose]: () => this.#remove(entry) };
	}

	/** Calls `call` with each sink and `value`: a function made once, so that a round makes nothing. */
	each<T>(call: (sink: S, value: T) => void, value: T): void {
		this.#rounds++;
		try {
			for (const entry of this.#entries) if (entry.live) this.#call(entry, call, value);
		} finally {
			this.#rounds--;
		}
	}

	/** Calls `call` with one sink, as a round would; not if it has left. */
	only(sink: S, call: (sink: S) => void): void {
		const entry = this.#entries.find((other) => other.sink === sink);
		if (entry === undefined) return;
		try {
			call(sink);
		} catch (error) {
			this.#throwOut(entry, error);
		}
	}

	/** Takes every sink out and ends it. */
	end(reason: SluiceError): void {
		const entries = this.#entries;
		this.#entries = [];
		for (const entry of entries) {
			if (!entry.live) continue;
			this.#remove(entry);
			this.#end(entry, reason);
		}
	}

	#call<T>(entry: Entry<S>, call: (sink: S, value: T) => void, value: T): void {
		try {
			call(entry.sink, value);
		} catch (error) {
			this.#throwOut(entry, error);
		}
	}

	#remove(entry: Entry<S>): void {
		if (!entry.live) return;
		entry.live = false;
		this.#entries = this.#entries.filter((other) => other !== entry);
		this.#onRemoved?.(entry.sink);
	}

	#throwOut(entry: Entry<S>, cause: unknown): void {
		this.#log.error({ err: cause }, "A reader failed and was removed");
		this.#remove(entry);
		this.#end(entry, new GoneError("session.closed", "The reader failed on our side; read again", { cause }));
	}

	#end(entry: Entry<S>, reason: SluiceError): void {
		try {
			entry.sink.end(reason);
		} catch (error) {
			this.#log.error({ err: error }, "A reader failed while it was ended");
		}
	}
}
