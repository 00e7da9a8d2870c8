/** Owners of one stream that crash, sleep and take over for hours, a sweeper, and viewers of all that was recorded. */

import { type PathName, parsePathName } from "#shared/path-name.ts";
import { hasCode } from "#shared/problem.ts";
import { seededFaults, seededRandom } from "#shared/store/fault-plan.ts";
import { indexPrefix, initFile, mediaFile, mediaKey, mediaPrefix, recordsPrefix } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { findNewest, readNewest } from "#shared/timeline/reader.ts";
import { recordSchema, type SegmentEntry } from "#shared/timeline/record.ts";
import {
	type BoundaryMark,
	expiredIndex,
	expiredMedia,
	expiredRecords,
	RECORD_KEEP_MS,
	settledBoundary,
	withMark,
} from "#shared/timeline/retention.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { Dvr } from "../../functions/dvr/dvr.ts";
import { keptSinceMs, select } from "../../functions/dvr/selection.ts";
import { faultyBucket, mustHold } from "./faulty-bucket.ts";
import { SimulatedClock, SimulatedProcess } from "./simulation.ts";

const PATH: PathName = parsePathName("cam01");
const SEGMENT_S = 6;
const HOUR_MS = 3_600_000;

export type IndexFigures = {
	commits: number;
	owners: number;
	views: number;
	segments: number;
	hours: number;
	swept: number;
};

export class IndexWorld {
	readonly figures: IndexFigures = { commits: 0, owners: 0, views: 0, segments: 0, hours: 0, swept: 0 };
	readonly #clock = new SimulatedClock();
	readonly #random: () => number;
	readonly #store: ObjectStore;
	/** The bucket without its faults: the view of nobody, for checks. */
	readonly #quiet: ObjectStore;
	readonly #durationMs: number;
	readonly #retentionMs: number | null;
	readonly #stop = new AbortController();
	/** What every record said of a segment, by sequence number; and how many discontinuities stand before it. */
	readonly #truth = new Map<number, { readonly said: string; readonly entry: SegmentEntry; readonly before: number }>();
	#failure: unknown = null;
	/** Sees every record as it is created. */
	readonly #bucket: ObjectStore;

	constructor(seed: number) {
		this.#random = seededRandom(seed);
		this.#durationMs = [10 * 60_000, HOUR_MS, 5 * HOUR_MS][Math.floor(this.#random() * 3)] as number;
		this.#retentionMs = this.#chance(0.5) ? null : 20 * 60_000 + this.#random() * HOUR_MS;
		const bad = this.#random() ** 3;
		const faults = seededFaults(seed, {
			lostRequest: 0.1 * bad,
			lostResponse: 0.15 * bad,
			throttled: 0.05 * bad,
			conflict: 0.1 * bad,
			aborted: 0,
			maxLatencyMs: [2, 200, 3_000][Math.floor(this.#random() * 3)] as number,
		});
		({ store: this.#store, quiet: this.#quiet } = faultyBucket(this.#clock, faults));
		this.#bucket = this.#observed();
		const processes = [this.#runOwners("node-0"), this.#runViewer()];
		if (this.#chance(0.6)) processes.push(this.#runOwners("node-1"));
		if (this.#retentionMs !== null) processes.push(this.#runSweeper(this.#retentionMs));
		for (const process of processes)
			process.catch((error: unknown) => {
				if (!hasCode(error, "aborted")) this.#failure ??= error;
			});
	}

	/** Lets the next thing happen; false when it is over. */
	step(): boolean {
		if (this.#failure !== null) throw this.#failure;
		const time = this.#clock.monotonic();
		if (time > this.#durationMs && !this.#stop.signal.aborted) this.#stop.abort();
		return time < this.#durationMs + 120_000 && this.#clock.step();
	}

	/** Looks at all that is left, by one who has seen nothing yet. */
	async finish(): Promise<void> {
		if (this.#failure !== null) throw this.#failure;
		await this.#learn();
		await this.#view(this.#newDvr());
		this.figures.segments = this.#truth.size;
		const { objects } = await this.#quiet.list(indexPrefix(PATH));
		this.figures.hours = objects.length;
	}

	#newDvr(): Dvr {
		return new Dvr({ store: this.#quiet, clock: this.#clock, sharesReads: true });
	}

	/** Everything that is to be seen, as it should be: each committed segment once, in order, none that is gone. */
	async #view(dvr: Dvr): Promise<void> {
		await this.#learn();
		const record = await readNewest(this.#quiet, PATH);
		if (record === null) return;
		const timeline = await dvr.timelines.get(PATH, record);
		const nowMs = this.#clock.now();
		const selected = await select(
			dvr.timelines,
			timeline,
			{ startMs: 0, endMs: Number.POSITIVE_INFINITY },
			"v0",
			nowMs,
		);
		const keptMs = keptSinceMs(timeline, nowMs);
		const wanted = [...this.#truth.values()].filter(({ entry }) => entry.startMs >= keptMs);
		if (selected === null) {
			mustHold(timeline.head === null || wanted.length === 0, "what is kept can be seen");
			return;
		}
		this.figures.views++;
		let next = selected.begin;
		let discontinuities = selected.discontinuitySequence;
		for (const entry of selected.entriesFrom(selected.begin)) {
			const truth = this.#truth.get(entry.sequence);
			mustHold(entry.sequence === next++, `after ${next - 2} comes ${next - 1}, not ${entry.sequence}`);
			mustHold(truth?.said === JSON.stringify(entry), `segment ${entry.sequence} is as it was committed`);
			mustHold(truth?.before === discontinuities, `discontinuities are counted right up to ${entry.sequence}`);
			if (entry.discontinuity) discontinuities++;
		}
		mustHold(next === selected.end, "all of a selection is listed");
		mustHold(selected.end >= record.nextSequence, "all that was committed is listed");
		const oldest = wanted[0]?.entry.sequence ?? Number.POSITIVE_INFINITY;
		if (timeline.head !== null) mustHold(selected.begin <= oldest, `what is kept is listed, from ${oldest} on`);
		const [first] = selected.entriesFrom(selected.begin);
		const file = first?.parts["v0"]?.file ?? "";
		const object = await this.#quiet.head(mediaKey(PATH, file));
		mustHold(object !== null, `${file}, the first that is listed, is there`);
	}

	async #runViewer(): Promise<void> {
		let dvr = this.#newDvr();
		for (;;) {
			await this.#clock.sleep(this.#random() * (this.#chance(0.5) ? 20_000 : 600_000), this.#stop.signal);
			if (this.#chance(0.2)) dvr = this.#newDvr();
			await this.#view(dvr);
		}
	}

	async #runOwners(owner: string): Promise<void> {
		const { signal } = this.#stop;
		while (!signal.aborted) {
			const process = new SimulatedProcess(this.#clock, (this.#random() - 0.5) * 4_000);
			await Promise.race([this.#publish(owner, process), this.#disturb(process)]);
			await this.#clock.sleep(this.#random() * 240_000, signal);
		}
	}

	async #disturb(process: SimulatedProcess): Promise<void> {
		for (;;) {
			await this.#clock.sleep(this.#random() * 900_000, this.#stop.signal);
			if (this.#chance(0.5)) {
				process.crash();
				return;
			}
			process.pause(this.#random() * 300_000, this.#chance(0.5));
		}
	}

	async #publish(owner: string, process: SimulatedProcess): Promise<void> {
		const { signal } = this.#stop;
		const { clock } = process;
		const store = process.connect(this.#bucket);
		let writer: TimelineWriter;
		try {
			writer = await TimelineWriter.open(
				{
					store,
					clock,
					path: PATH,
					owner,
					takeover: this.#chance(0.7) ? "override" : "respect",
					leaseMs: 10_000,
					segmentCount: 5,
					minimumTargetDuration: SEGMENT_S,
					retentionMs: () => this.#retentionMs,
					random: this.#random,
				},
				signal,
			);
		} catch (error) {
			if (hasCode(error, "timeline.fenced")) return;
			throw error;
		}
		this.figures.owners++;
		const segments = 1 + Math.floor(this.#random() * (this.#chance(0.5) ? 20 : 400));
		let init = initFile(writer.epoch, 0, "v0");
		try {
			for (let serial = 0; serial < segments; serial++) {
				if (this.#chance(0.02)) init = initFile(writer.epoch, serial, "v0");
				const file = mediaFile(writer.epoch, serial, "v0");
				await this.#upload(file);
				await writer.commitSegment(
					{
						startMs: Math.floor(clock.now()) - SEGMENT_S * 1000,
						discontinuity: this.#chance(0.05),
						parts: [
							{
								rendition: { id: "v0", kind: "video", codecs: "avc1" },
								file,
								init,
								duration: SEGMENT_S,
								bytes: serial,
							},
						],
					},
					signal,
				);
				this.figures.commits++;
				await clock.sleep(SEGMENT_S * 1000, signal);
			}
			if (this.#chance(0.6)) await writer.commitEnd(signal);
		} catch (error) {
			if (!hasCode(error, "timeline.fenced")) throw error;
		}
		await writer.close(this.#chance(0.3) ? AbortSignal.abort() : signal);
	}

	async #upload(file: string): Promise<void> {
		await this.#quiet.put(mediaKey(PATH, file), file);
	}

	async #runSweeper(retentionMs: number): Promise<void> {
		let marks: BoundaryMark[] = [];
		const clock = this.#clock;
		for (;;) {
			await clock.sleep(this.#random() * 120_000, this.#stop.signal);
			await this.#learn();
			const { newest, head } = await findNewest(this.#quiet, PATH);
			if (newest === null) continue;
			marks = withMark(marks, newest.record, clock.monotonic());
			const boundary = settledBoundary(marks, clock.monotonic());
			if (boundary === null) continue;
			const beforeMs = clock.now() - retentionMs;
			const media = await this.#quiet.list(mediaPrefix(PATH));
			const index = await this.#quiet.list(indexPrefix(PATH));
			const records = await this.#quiet.list(recordsPrefix(PATH));
			const old = [
				...expiredMedia(media.objects, boundary, beforeMs),
				...expiredIndex(index.objects, beforeMs),
				...expiredRecords(records.objects, head?.n ?? 0, beforeMs - RECORD_KEEP_MS),
			].slice(0, 1000);
			this.figures.swept += old.length;
			await this.#quiet.delete(old);
		}
	}

	/** What the newest records say: all of them are seen, since each lists five segments and this is asked often. */
	async #learn(): Promise<void> {
		const newest = await readNewest(this.#quiet, PATH);
		if (newest !== null) this.#observe(JSON.stringify(newest));
	}

	#observe(text: string): void {
		const record = recordSchema.parse(JSON.parse(text));
		let before = record.discontinuitySequence;
		for (const entry of record.window) {
			this.#truth.set(entry.sequence, { said: JSON.stringify(entry), entry, before });
			if (entry.discontinuity) before++;
		}
	}

	/** The bucket; what is created as a record is remembered once it is there. */
	#observed(): ObjectStore {
		return new Proxy<ObjectStore>(this.#store, {
			get: (target, name) => {
				const method = Reflect.get(target, name, target) as (...args: unknown[]) => Promise<unknown>;
				return async (...args: unknown[]) => {
					const [key, body] = args;
					try {
						return await Reflect.apply(method, target, args);
					} finally {
						if (name === "putIfAbsent" && String(key).startsWith(recordsPrefix(PATH))) {
							const there = await (await this.#quiet.get(String(key)))?.text();
							if (there === body && there !== undefined) this.#observe(there);
						}
					}
				};
			},
		});
	}

	#chance(probability: number): boolean {
		return this.#random() < probability;
	}
}
