/** Nodes that fight for one stream over one faulty bucket, readers and a sweeper beside them; and what must hold. */

import { createHash } from "node:crypto";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { hasCode } from "#shared/problem.ts";
import { type FaultPlan, seededFaults, seededRandom } from "#shared/store/fault-plan.ts";
import { headKey, initFile, mediaFile, mediaKey, mediaPrefix, recordKey, recordsPrefix } from "#shared/store/key.ts";
import type { MemoryStore } from "#shared/store/memory-store.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { findNewest, readNewest } from "#shared/timeline/reader.ts";
import type { TimelineRecord } from "#shared/timeline/record.ts";
import {
	type BoundaryMark,
	expiredInits,
	expiredMedia,
	expiredRecords,
	RECORD_KEEP_MS,
	settledBoundary,
	withMark,
} from "#shared/timeline/retention.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { faultyBucket, mustHold } from "./faulty-bucket.ts";
import { SimulatedClock, SimulatedProcess } from "./simulation.ts";

const PATH: PathName = parsePathName("cam01");
const LEASE_MS = 10_000;
const SEGMENT_S = 2;

export type WorldFigures = { commits: number; fences: number; fenced: number; reads: number; swept: number };

/** What a seed settles: how bad the network is, how long everything takes, who does what. */
type Weather = {
	readonly nodes: number;
	readonly durationMs: number;
	readonly segmentEveryMs: number;
	readonly maxPauseMs: number;
	readonly retentionMs: number;
};

export class TimelineWorld {
	readonly figures: WorldFigures = { commits: 0, fences: 0, fenced: 0, reads: 0, swept: 0 };
	readonly #clock = new SimulatedClock();
	readonly #random: () => number;
	readonly #weather: Weather;
	readonly #store: MemoryStore;
	/** The bucket without its faults: the view of nobody, for checks. */
	readonly #quiet: ObjectStore;
	readonly #stop = new AbortController();
	/** Every record that anybody ever saw, by number. */
	readonly #seen = new Map<number, string>();
	/** Below this, records were deleted. What a writer that slept creates there is seen by nobody, and is not counted. */
	#keptFrom = 0;
	/** What a writer was told is committed. */
	readonly #acknowledged: { readonly n: number; readonly file: string | null }[] = [];
	readonly #writersThatWereFenced = new Set<string>();
	#failure: unknown = null;

	constructor(seed: number) {
		this.#random = seededRandom(seed);
		const slow = this.#chance(0.15);
		this.#weather = {
			nodes: this.#chance(0.5) ? 2 : 3,
			durationMs: slow ? 4 * 3_600_000 : 26_000,
			segmentEveryMs: slow ? 900_000 : 2_000,
			maxPauseMs: slow ? 3 * 3_600_000 : 25_000,
			retentionMs: slow ? 600_000 : 5_000,
		};
		const bad = this.#random() ** 2;
		const faults = seededFaults(seed, {
			lostRequest: 0.1 * bad,
			lostResponse: 0.15 * bad,
			throttled: 0.05 * bad,
			conflict: 0.1 * bad,
			aborted: 0.02 * bad,
			// Now and then longer than an attempt may take.
			maxLatencyMs: [2, 50, 500, 3_000, 20_000][Math.floor(this.#random() * 5)] as number,
		});
		const isHeadStuck = this.#chance(0.1);
		const plan: FaultPlan = {
			next: (operation) => {
				const fault = faults.next(operation);
				const isStuck = isHeadStuck && operation.key === headKey(PATH) && operation.method === "putIfMatch";
				return isStuck ? { ...fault, fails: "store.throttled", tookEffect: false } : fault;
			},
		};
		({ store: this.#store, quiet: this.#quiet } = faultyBucket(this.#clock, plan));
		const processes = [];
		for (let i = 0; i < this.#weather.nodes; i++) processes.push(this.#runNode(`node-${i}`));
		processes.push(this.#runReader(), this.#runSweeper());
		for (const process of processes) {
			process.catch((error: unknown) => {
				if (!hasCode(error, "aborted")) this.#failure ??= error;
			});
		}
	}

	/** Lets the next thing happen; false when it is over. */
	step(): boolean {
		if (this.#failure !== null) throw this.#failure;
		const time = this.#clock.monotonic();
		if (time > this.#weather.durationMs && !this.#stop.signal.aborted) this.#stop.abort();
		return time < this.#weather.durationMs + 60_000 && this.#clock.step();
	}

	/** Checks the whole history. */
	async finish(): Promise<void> {
		if (this.#failure !== null) throw this.#failure;
		const numbers: number[] = [];
		for (let after: string | null = ""; after !== null; ) {
			const page = await this.#quiet.list(recordsPrefix(PATH), { startAfter: after });
			for (const { key } of page.objects) numbers.push(Number.parseInt(key.slice(recordsPrefix(PATH).length), 10));
			after = page.next;
		}
		const kept = numbers.filter((n) => n >= this.#keptFrom);
		for (const n of kept) await this.#observeTruth(n);
		for (let i = 1; i < kept.length; i++) mustHold(kept[i] === kept[i - 1]! + 1, `no hole before record ${kept[i]}`);
		this.#checkChain();
		const newest = await findNewest(this.#quiet, PATH);
		mustHold(newest.newest?.record.n === kept.at(-1) || kept.length === 0, "the newest record is found");
	}

	#checkChain(): void {
		const numbers = [...this.#seen.keys()].sort((a, b) => a - b);
		const sequences = new Map<number, string>();
		const sequenceOfFile = new Map<string, number>();
		let before: { record: TimelineRecord; text: string } | null = null;
		let fencedEpoch = -1;
		for (const n of numbers) {
			const text = this.#seen.get(n)!;
			const record = JSON.parse(text) as TimelineRecord;
			mustHold(record.n === n, `record ${n} says so`);
			if (record.kind === "fence") this.figures.fences++;
			if (before !== null && before.record.n === n - 1) {
				const previous = before.record;
				mustHold(record.previous === createHash("sha256").update(before.text).digest("hex"), `the chain holds at ${n}`);
				if (record.kind === "fence") {
					const isOwn = record.writer === previous.writer && record.epoch === previous.epoch;
					mustHold(isOwn || record.epoch > previous.epoch, `the fence ${n} raises the epoch`);
				} else {
					mustHold(record.writer === previous.writer, `record ${n} follows one of its own writer`);
					mustHold(record.epoch === previous.epoch, `record ${n} stays in its epoch`);
				}
				mustHold(
					record.nextSequence === previous.nextSequence + (record.kind === "segment" ? 1 : 0),
					`sequence at ${n}`,
				);
				mustHold(record.targetDuration >= previous.targetDuration, `the target duration grows at ${n}`);
				mustHold(record.discontinuitySequence >= previous.discontinuitySequence, `discontinuities at ${n}`);
				mustHold(firstSequence(record) >= firstSequence(previous), `the media sequence does not go back at ${n}`);
			}
			mustHold(record.epoch >= fencedEpoch, `nothing of an old owner is committed behind a fence, at ${n}`);
			fencedEpoch = record.epoch;
			let discontinuity = record.discontinuitySequence;
			for (const entry of record.window) {
				if (entry.discontinuity) discontinuity++;
				const said = JSON.stringify([entry, discontinuity]);
				mustHold((sequences.get(entry.sequence) ?? said) === said, `sequence ${entry.sequence} has one content`);
				sequences.set(entry.sequence, said);
				for (const { file } of Object.values(entry.parts)) {
					mustHold((sequenceOfFile.get(file) ?? entry.sequence) === entry.sequence, `${file} has one number`);
					sequenceOfFile.set(file, entry.sequence);
				}
			}
			before = { record, text };
		}
		for (const { n, file } of this.#acknowledged) {
			const text = this.#seen.get(n);
			mustHold(text !== undefined, `what was committed as ${n} is there`);
			mustHold(file === null || text!.includes(file), `what was committed as ${n} is what is there`);
		}
		mustHold(new Set(this.#acknowledged.map(({ n }) => n)).size === this.#acknowledged.length, "one commit a number");
		this.figures.commits = this.#acknowledged.length;
		this.figures.fenced = this.#writersThatWereFenced.size;
	}

	async #runNode(owner: string): Promise<void> {
		const { signal } = this.#stop;
		await this.#clock.sleep(this.#random() * 3 * this.#weather.segmentEveryMs, signal);
		while (!signal.aborted) {
			const process = new SimulatedProcess(this.#clock, (this.#random() - 0.5) * 20_000);
			// A crash leaves this promise pending for ever; the world goes on when either happens.
			await Promise.race([this.#publish(owner, process), this.#disturb(process)]);
			await this.#clock.sleep(this.#random() * 4 * this.#weather.segmentEveryMs, signal);
		}
	}

	/** Pauses a process now and then; settles when it has crashed it. */
	async #disturb(process: SimulatedProcess): Promise<void> {
		for (;;) {
			await this.#clock.sleep(this.#random() * 8 * this.#weather.segmentEveryMs, this.#stop.signal);
			if (this.#chance(0.3)) {
				process.crash();
				return;
			}
			process.pause(this.#random() * this.#weather.maxPauseMs, this.#chance(0.5));
		}
	}

	async #publish(owner: string, process: SimulatedProcess): Promise<void> {
		const { signal } = this.#stop;
		const store = process.connect(this.#guarded());
		const { clock } = process;
		let writer: TimelineWriter;
		try {
			writer = await TimelineWriter.open(
				{
					store,
					clock,
					path: PATH,
					owner,
					takeover: this.#chance(0.5) ? "override" : "respect",
					leaseMs: LEASE_MS,
					segmentCount: 4,
					minimumTargetDuration: SEGMENT_S,
					random: this.#random,
				},
				signal,
			);
		} catch (error) {
			if (hasCode(error, "timeline.fenced")) return;
			throw error;
		}
		const segments = 1 + Math.floor(this.#random() * 12);
		try {
			let init = "";
			for (let serial = 0; serial < segments; serial++) {
				if (serial === 0 || this.#chance(0.1)) {
					init = initFile(writer.epoch, serial, "v0");
					await this.#upload(store, process, init);
				}
				const file = mediaFile(writer.epoch, serial, "v0");
				await this.#upload(store, process, file);
				const record = await writer.commitSegment(
					{
						startMs: clock.now(),
						discontinuity: this.#chance(0.1),
						parts: [
							{ rendition: { id: "v0", kind: "video", codecs: "avc1" }, file, init, duration: SEGMENT_S, bytes: 9 },
						],
					},
					signal,
				);
				this.#acknowledged.push({ n: record.n, file });
				await clock.sleep(this.#random() * this.#weather.segmentEveryMs, signal);
				if (this.#chance(0.5)) await writer.renew(signal);
			}
			if (this.#chance(0.3)) this.#acknowledged.push({ n: (await writer.commitEnd(signal)).n, file: null });
		} catch (error) {
			if (!hasCode(error, "timeline.fenced")) throw error;
			this.#writersThatWereFenced.add(`${owner}/${writer.epoch}`);
			// It stays fenced.
			const again = await writer.commitEnd(signal).catch((second: unknown) => second);
			mustHold(hasCode(again, "timeline.fenced"), "a fenced writer commits nothing more");
		}
		await writer.close(signal);
	}

	async #upload(store: ObjectStore, process: SimulatedProcess, file: string): Promise<void> {
		for (;;) {
			try {
				await store.put(mediaKey(PATH, file), file);
				return;
			} catch (error) {
				if (!hasCode(error, "store.unavailable", "store.throttled", "aborted")) throw error;
				await process.clock.sleep(100, this.#stop.signal);
			}
		}
	}

	async #runReader(): Promise<void> {
		let last: TimelineRecord | null = null;
		for (;;) {
			await this.#clock.sleep(this.#random() * this.#weather.segmentEveryMs, this.#stop.signal);
			const begun: TimelineRecord | null = last;
			let record: TimelineRecord | null;
			try {
				record = await readNewest(this.#store, PATH);
			} catch (error) {
				if (hasCode(error, "store.unavailable", "store.throttled", "aborted")) continue;
				throw error;
			}
			if (record === null) {
				mustHold(begun === null, "a timeline that was there stays");
				continue;
			}
			this.figures.reads++;
			if (begun !== null) {
				mustHold(record.n >= begun.n, "a reader does not go back in records");
				mustHold(firstSequence(record) >= firstSequence(begun), "a reader does not go back in media sequence");
				mustHold(record.discontinuitySequence >= begun.discontinuitySequence, "nor in discontinuity sequence");
			}
			last = record;
			this.#observe(record.n, JSON.stringify(record));
			// A player goes on with a playlist for as long as that lasts (RFC 8216 §6.2.2).
			const listedMs = record.window.length * SEGMENT_S * 1000;
			await this.#clock.sleep(this.#random() * listedMs, this.#stop.signal);
			const files = record.window.flatMap((entry) => Object.values(entry.parts).flatMap((p) => [p.file, p.init]));
			for (const file of new Set(files)) {
				const object = await this.#quiet.head(mediaKey(PATH, file));
				mustHold(object !== null, `${file}, which record ${record.n} lists, can be read`);
			}
		}
	}

	async #runSweeper(): Promise<void> {
		const { signal } = this.#stop;
		const clock = this.#clock;
		let marks: BoundaryMark[] = [];
		for (;;) {
			await clock.sleep(this.#random() * 2 * this.#weather.segmentEveryMs, signal);
			try {
				const { newest, head } = await findNewest(this.#store, PATH);
				if (newest === null) continue;
				marks = withMark(marks, newest.record, clock.monotonic());
				const boundary = settledBoundary(marks, clock.monotonic());
				if (boundary === null) continue;
				const beforeMs = clock.now() - this.#weather.retentionMs;
				const media = await this.#store.list(mediaPrefix(PATH));
				const files = media.objects.filter((object) => object.key.endsWith(".m4s"));
				const old = expiredMedia(files, boundary, beforeMs);
				await this.#store.delete(old);
				this.figures.swept += old.length;
				const inits = media.objects.filter((object) => object.key.endsWith(".mp4"));
				const gone = new Set(old);
				const oldest = files.find((file) => !gone.has(file.key))?.key.slice(mediaPrefix(PATH).length) ?? boundary;
				await this.#store.delete(expiredInits(inits, oldest));
				const records = await this.#store.list(recordsPrefix(PATH));
				const numbers = expiredRecords(records.objects, head?.n ?? 0, beforeMs - RECORD_KEEP_MS);
				for (const key of numbers) {
					const n = Number.parseInt(key.slice(recordsPrefix(PATH).length), 10);
					await this.#observeTruth(n);
					this.#keptFrom = Math.max(this.#keptFrom, n + 1);
				}
				await this.#store.delete(numbers);
			} catch (error) {
				if (!hasCode(error, "store.unavailable", "store.throttled", "aborted")) throw error;
			}
		}
	}

	/** The bucket, with a check of how records are written. */
	#guarded(): ObjectStore {
		const store = this.#store;
		const isRecord = (key: string) => key.startsWith(recordsPrefix(PATH));
		return new Proxy(store, {
			get: (target, name) => {
				const value: unknown = Reflect.get(target, name, target);
				if (typeof value !== "function") return value;
				return (key: string, ...rest: unknown[]) => {
					if (name === "put" || name === "putIfMatch") mustHold(!isRecord(key), "records are created, never changed");
					return Reflect.apply(value, target, [key, ...rest]) as unknown;
				};
			},
		});
	}

	#observe(n: number, text: string): void {
		mustHold((this.#seen.get(n) ?? text) === text, `record ${n} has one content`);
		this.#seen.set(n, text);
	}

	async #observeTruth(n: number): Promise<void> {
		if (n < this.#keptFrom) return;
		const text = await (await this.#quiet.get(recordKey(PATH, n)))?.text();
		if (text !== undefined) this.#observe(n, text);
	}

	#chance(probability: number): boolean {
		return this.#random() < probability;
	}
}

/** The media sequence that a playlist of the record begins with. */
function firstSequence(record: TimelineRecord): number {
	return record.window[0]?.sequence ?? record.nextSequence;
}
