/**
 * Brings events into the bucket: first the path's log, where creating the object gives the event its number, then the
 * outbox, from which the functions deliver it. Before both it is on disk, and until both it stays there.
 */

import { randomUUID } from "node:crypto";
import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { type StreamEvent, streamEventSchema } from "#shared/events/event.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { hasCode, type SluiceError } from "#shared/problem.ts";
import { eventKey, eventsPrefix, outboxKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { type Retry, retried } from "#shared/timeline/retry.ts";
import type { Logger } from "../log.ts";
import { EventJournal } from "./event-journal.ts";

export type EventReporterOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly journalRoot: string;
	/** An event is in the outbox. Must not throw. */
	readonly onPublished?: (() => void) | undefined;
};

/** What the reporter adds itself. */
type Unnumbered<T> = T extends StreamEvent ? Omit<T, "id" | "timestamp" | "sequence"> : never;
export type NewEvent = Unnumbered<StreamEvent>;

/** More events than this do not wait in memory and on disk: something reports in a loop. */
export const MAX_WAITING_EVENTS = 10_000;
/** How far the numbers are probed one by one before they are listed. */
const MAX_PROBES = 20;

type Waiting = { readonly name: string; readonly event: StreamEvent; written: Promise<void> };

export class EventReporter implements AsyncDisposable {
	readonly #options: EventReporterOptions;
	readonly #journal: EventJournal;
	readonly #retry: Retry;
	readonly #stop = new AbortController();
	readonly #queue: Waiting[];
	/** The number that each path's next event probably has. */
	readonly #next = new Map<PathName, number>();
	#order = 0;
	#dropped = 0;
	#wakeUp: () => void = () => {};
	#isClosing = false;
	readonly #run: Promise<void>;

	private constructor(options: EventReporterOptions, journal: EventJournal, queue: Waiting[]) {
		this.#options = options;
		this.#journal = journal;
		this.#queue = queue;
		this.#retry = { clock: options.clock, random: Math.random };
		this.#run = this.#work();
	}

	/** Begins with what an earlier process left in the journal. */
	static async open(options: EventReporterOptions): Promise<EventReporter> {
		const { journal, leftovers } = await EventJournal.open(options.journalRoot, options.log);
		const queue = leftovers.map((entry): Waiting => ({ ...entry, written: Promise.resolve() }));
		return new EventReporter(options, journal, queue);
	}

	/** Events that are not in the bucket yet. */
	get waiting(): number {
		return this.#queue.length;
	}

	/** Events that were left out because too many waited. */
	get dropped(): number {
		return this.#dropped;
	}

	/** Takes an event. Returns at once and never fails. */
	report(event: NewEvent): void {
		const { clock, log } = this.#options;
		if (this.#isClosing || this.#queue.length >= MAX_WAITING_EVENTS) {
			this.#dropped++;
			log.error({ path: event.data.path, type: event.type }, "An event is lost: too many wait for the bucket");
			return;
		}
		const whole = streamEventSchema.parse({
			...event,
			id: `evt_${randomUUID().replaceAll("-", "")}`,
			timestamp: new Date(clock.now()).toISOString(),
			sequence: null,
		});
		const name = this.#journal.nameOf(clock.now(), this.#order++);
		const written = this.#journal.write(name, whole).catch((error: unknown) => {
			log.error(
				{ err: error, path: event.data.path },
				"An event could not be journaled: it is lost if this process ends before the bucket has it",
			);
		});
		this.#queue.push({ name, event: whole, written });
		this.#wakeUp();
	}

	/** Waits until what was reported is in the bucket or, within `drainMs`, at least in the journal. Idempotent. */
	async close(drainMs = 3_000): Promise<void> {
		this.#isClosing = true;
		this.#wakeUp();
		using _deadline = this.#options.clock.after(drainMs, () => this.#stop.abort());
		await this.#run;
		await Promise.all(this.#queue.map(({ written }) => written));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	/** One event after the other, so that each path's order is kept. Never fails. */
	async #work(): Promise<void> {
		const { signal } = this.#stop;
		while (!signal.aborted) {
			const entry = this.#queue[0];
			if (entry === undefined) {
				if (this.#isClosing) return;
				await new Promise<void>((resolve) => {
					this.#wakeUp = resolve;
				});
				continue;
			}
			try {
				await this.#publish(entry, signal);
			} catch (error) {
				if (hasCode(error, "aborted")) return;
				this.#options.log.error(
					{ err: error, path: entry.event.data.path, type: entry.event.type },
					"An event cannot be published: left out",
				);
				this.#dropped++;
			}
			this.#queue.shift();
			await this.#journal.remove(entry.name);
		}
	}

	async #publish({ event, written }: Waiting, signal: AbortSignal): Promise<void> {
		const { store, log } = this.#options;
		// On disk first: numbered and forgotten would be a gap.
		await written;
		let isTold = false;
		const retry: Retry = {
			...this.#retry,
			onRetry: (error: SluiceError) => {
				if (!isTold)
					log.warn({ code: error.code, path: event.data.path }, "The bucket does not take an event: it waits on disk");
				isTold = true;
			},
		};
		const path = parsePathName(event.data.path);
		const sequence = await retried(retry, (attempt) => this.#number(path, event, attempt), signal);
		this.#next.set(path, sequence + 1);
		const body = JSON.stringify({ ...event, sequence });
		await retried(
			retry,
			(attempt) => store.put(outboxKey(path, sequence), body, { ...JSON_TYPE, signal: attempt }),
			signal,
		);
		this.#options.onPublished?.();
	}

	/** Writes the event into the path's log under the first free number, and says which. An event that is there keeps its number. */
	async #number(path: PathName, event: StreamEvent, signal: AbortSignal): Promise<number> {
		const { store } = this.#options;
		let sequence = this.#next.get(path) ?? (await this.#firstFree(path, event.id, signal));
		for (;;) {
			throwIfAborted(signal);
			try {
				await store.putIfAbsent(eventKey(path, sequence), JSON.stringify({ ...event, sequence }), {
					...JSON_TYPE,
					signal,
				});
				return sequence;
			} catch (error) {
				if (!hasCode(error, "store.precondition")) throw error;
				// Ours, in a request whose answer was lost, or another node's.
				if ((await this.#idAt(path, sequence, signal)) === event.id) return sequence;
				sequence++;
			}
		}
	}

	/** The first free number of a path's log; or that of the event itself, if an earlier process came so far. */
	async #firstFree(path: PathName, id: string, signal: AbortSignal): Promise<number> {
		const { store } = this.#options;
		const prefix = eventsPrefix(path);
		let last: string | null = null;
		for (let startAfter: string | null = ""; startAfter !== null; ) {
			const page = await store.list(prefix, { signal, ...(startAfter === "" ? {} : { startAfter }) });
			last = page.objects.at(-1)?.key ?? last;
			startAfter = page.next;
		}
		if (last === null) return 0;
		const newest = Number(last.slice(prefix.length, -".json".length));
		for (let at = newest; at >= 0 && at > newest - MAX_PROBES; at--) {
			if ((await this.#idAt(path, at, signal)) === id) return at;
		}
		return newest + 1;
	}

	async #idAt(path: PathName, sequence: number, signal: AbortSignal): Promise<string | null> {
		const object = await this.#options.store.get(eventKey(path, sequence), { signal });
		if (object === null) return null;
		const result = streamEventSchema.safeParse(JSON.parse(await object.text()));
		return result.success ? result.data.id : null;
	}
}

const JSON_TYPE = { contentType: "application/json" };
