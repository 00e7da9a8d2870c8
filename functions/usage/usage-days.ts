import { parsedJson } from "#shared/json.ts";
import { hasCode, SluiceError } from "#shared/problem.ts";
import { USAGE_PREFIX, usageDayKey, usageDayPrefix } from "#shared/store/key.ts";
import type { ObjectInfo, ObjectStore } from "#shared/store/object-store.ts";
import { type DayDocument, dayDocumentSchema, foldDay } from "#shared/usage/fold.ts";
import {
	DAY_MS,
	dayOf,
	dayStartMs,
	type HourDocument,
	hourDocumentSchema,
	MAX_HOUR_BYTES,
} from "#shared/usage/hour-document.ts";
import type { Deps } from "../deps.ts";

/** Writers have so long after midnight to write the last of the day: a minute, and a bucket that was away a little. */
export const SETTLED_AFTER_MS = 15 * 60_000;
/** Of a day that is not folded: what is beyond is left out. */
export const MAX_OBJECTS = 5_000;
/** Days of which an instance remembers the sums. */
const MAX_KEPT_DAYS = 200;
const PARALLEL_READS = 16;
/** What a day that is not over is like is believed for so long: a page with many tables makes one listing. */
const TODAY_AGE_MS = 10_000;

/** Days that are made up for when nobody folded any. */
const MAX_MISSED_DAYS = 8;
/** One listing tells of so many days and more what there is. */
const WORTH_LOOKING_AHEAD = 4;

type Kept = { readonly etag: string; readonly document: HourDocument | null };
type Today = { readonly document: DayDocument; readonly readMs: number };

/**
 * The usage of days. One that is over is one object, made by whoever first reads it; one that is not is summed from what
 * its writers wrote so far, of which an instance reads again what has changed.
 */
export class UsageDays {
	readonly #deps: Pick<Deps, "store" | "clock" | "log">;
	readonly #days = new Map<string, DayDocument>();
	readonly #hours = new Map<string, Kept>();
	/** Days that were over, and of which nobody had written anything. */
	readonly #empty = new Set<string>();
	#today: Today | null = null;

	constructor(deps: Pick<Deps, "store" | "clock" | "log">) {
		this.#deps = deps;
	}

	/** The usage of days in a row, oldest first. @throws StoreError */
	async read(from: string, to: string): Promise<DayDocument[]> {
		const days: DayDocument[] = [];
		const today = dayOf(this.#deps.clock.now());
		await this.#lookAhead(from, to < today ? to : today);
		let before: DayDocument | null = null;
		for (let ms = dayStartMs(from); ms <= dayStartMs(to) && dayOf(ms) <= today; ms += DAY_MS) {
			before = await this.#day(dayOf(ms), before);
			days.push(before);
		}
		return days;
	}

	/**
	 * Folds yesterday, if it can be by now and nobody has; and before it what nobody folded in the week before, since a day
	 * begins with what was stored when the one before it ended. Never fails.
	 */
	async foldYesterday(): Promise<void> {
		const { clock, log } = this.#deps;
		const nowMs = clock.now();
		if (nowMs - dayStartMs(dayOf(nowMs)) < SETTLED_AFTER_MS) return;
		try {
			const yesterday = dayOf(nowMs - DAY_MS);
			if (this.#days.has(yesterday) || this.#empty.has(yesterday)) return;
			if ((await this.#folded(yesterday)) === null) await this.read(dayOf(nowMs - MAX_MISSED_DAYS * DAY_MS), yesterday);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			log.error({ code: error.code }, "The usage of yesterday could not be summed up yet");
		}
	}

	/** Reads what is summed up already, all at once, and finds out on which days there was nothing at all. */
	async #lookAhead(from: string, to: string): Promise<void> {
		const missing: string[] = [];
		for (let ms = dayStartMs(from); ms <= dayStartMs(to); ms += DAY_MS) {
			if (!this.#days.has(dayOf(ms)) && !this.#empty.has(dayOf(ms))) missing.push(dayOf(ms));
		}
		if (missing.length < WORTH_LOOKING_AHEAD) return;
		const startAfter = usageDayPrefix(dayOf(dayStartMs(from) - DAY_MS));
		const { prefixes } = await this.#deps.store.list(USAGE_PREFIX, { delimiter: "/", startAfter });
		const there = new Set(prefixes);
		const overMs = this.#deps.clock.now() - DAY_MS - SETTLED_AFTER_MS;
		for (const day of missing) {
			if (!there.has(usageDayPrefix(day)) && dayStartMs(day) <= overMs) this.#empty.add(day);
		}
		const wanted = missing.filter((day) => there.has(usageDayPrefix(day)));
		for (let at = 0; at < wanted.length; at += PARALLEL_READS) {
			await Promise.all(wanted.slice(at, at + PARALLEL_READS).map((day) => this.#folded(day)));
		}
	}

	async #day(day: string, known: DayDocument | null): Promise<DayDocument> {
		const { clock } = this.#deps;
		const kept = this.#days.get(day) ?? (this.#empty.has(day) ? null : await this.#folded(day));
		if (kept !== null) return kept;
		const nowMs = clock.now();
		const isOver = nowMs >= dayStartMs(day) + DAY_MS;
		const isRecent = this.#today?.document.day === day && clock.monotonic() - this.#today.readMs < TODAY_AGE_MS;
		if (!isOver && isRecent && this.#today !== null) return this.#today.document;
		// How much was stored when it began. What nobody summed up yet is not gone into: cron does, each day.
		const dayBefore = dayOf(dayStartMs(day) - DAY_MS);
		const before =
			known ?? this.#days.get(dayBefore) ?? (this.#empty.has(dayBefore) ? null : await this.#folded(dayBefore));
		const documents = this.#empty.has(day) ? [] : await this.#documentsOf(day);
		const folded = foldDay(day, documents, before, nowMs);
		if (nowMs < dayStartMs(day) + DAY_MS + SETTLED_AFTER_MS) {
			this.#today = { document: folded, readMs: clock.monotonic() };
			return folded;
		}
		if (Object.keys(folded.paths).length > 0) return this.#create(folded);
		// That there was nothing need not be written down.
		this.#empty.add(day);
		return folded;
	}

	/** The first one wins: all see the same sum. */
	async #create(document: DayDocument): Promise<DayDocument> {
		const options = { contentType: "application/json" };
		try {
			await this.#deps.store.putIfAbsent(usageDayKey(document.day), JSON.stringify(document), options);
		} catch (error) {
			if (!hasCode(error, "store.precondition", "store.conflict")) throw error;
			const there = await this.#folded(document.day);
			if (there !== null) return there;
			// It is damaged: what the hours say is as good, and is not read again.
			this.#deps.log.error(
				{ key: usageDayKey(document.day) },
				"An object of usage is damaged; its hours are summed up",
			);
		}
		this.#keep(document);
		return document;
	}

	async #folded(day: string): Promise<DayDocument | null> {
		// A day that is not over has none.
		if (this.#deps.clock.now() < dayStartMs(day) + DAY_MS) return null;
		const object = await this.#deps.store.get(usageDayKey(day));
		const document = object === null ? null : parsedJson(dayDocumentSchema, await object.text());
		if (document !== null) this.#keep(document);
		return document;
	}

	#keep(document: DayDocument): void {
		if (this.#days.size >= MAX_KEPT_DAYS) this.#days.delete(this.#days.keys().next().value as string);
		this.#days.set(document.day, document);
	}

	async #documentsOf(day: string): Promise<HourDocument[]> {
		const objects = await listed(this.#deps, day);
		const documents: HourDocument[] = [];
		for (let at = 0; at < objects.length; at += PARALLEL_READS) {
			const some = await Promise.all(objects.slice(at, at + PARALLEL_READS).map((info) => this.#hour(info)));
			documents.push(...some.filter((document) => document !== null));
		}
		// Of other days nothing is asked for but their sums.
		const keys = new Set(objects.map(({ key }) => key));
		for (const key of this.#hours.keys()) if (!keys.has(key)) this.#hours.delete(key);
		return documents;
	}

	async #hour({ key, etag, size }: ObjectInfo): Promise<HourDocument | null> {
		const kept = this.#hours.get(key);
		if (kept?.etag === etag) return kept.document;
		if (size > MAX_HOUR_BYTES) return null;
		const object = await this.#deps.store.get(key);
		if (object === null) return null;
		const document = parsedJson(hourDocumentSchema, await object.text());
		if (document === null) this.#deps.log.error({ key }, "An object of usage is damaged, and left out");
		this.#hours.set(key, { etag: object.etag, document });
		return document;
	}
}

async function listed({ store, log }: Pick<Deps, "store" | "log">, day: string): Promise<ObjectInfo[]> {
	const objects: ObjectInfo[] = [];
	let next: string | null = "";
	while (next !== null && objects.length < MAX_OBJECTS) {
		const page: Awaited<ReturnType<ObjectStore["list"]>> = await store.list(
			usageDayPrefix(day),
			next === "" ? {} : { startAfter: next },
		);
		objects.push(...page.objects.filter(({ key }) => /\/\d\d\/[^/]+\.json$/.test(key)));
		next = page.next;
	}
	if (next !== null) log.error({ day, objects: objects.length }, "More wrote usage than is read: the rest is left out");
	return objects;
}
