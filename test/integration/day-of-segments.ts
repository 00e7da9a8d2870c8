/**
 * A day of one stream in accelerated time: its uploader, its timeline and the sweeper, over a bucket in memory. Prints
 * one line of JSON. To be run with `--expose-gc`.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePathName } from "#shared/path-name.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { RetentionSweeper } from "../../media-node/bucket/retention-sweeper.ts";
import { StreamUploader } from "../../media-node/bucket/uploader.ts";
import type { Logger } from "../../media-node/log.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { instantDigest } from "../support/instant-digest.ts";
import { AUDIO, VIDEO } from "../support/timeline-builders.ts";

const HOURS = 24;
const SEGMENT_MS = 2_000;
const PER_HOUR = 3_600_000 / SEGMENT_MS;
const RETENTION_MS = 60_000;
/** In each hour the bucket is away for so many segments. */
const AWAY_SEGMENTS = 20;

const log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => log } as unknown as Logger;
const clock = new FakeClock();
using _digest = instantDigest();
const store = new MemoryStore({ clock });
const path = parsePathName("cam01");
const spoolRoot = await mkdtemp(join(tmpdir(), "sluice-day-"));
const uploader = await StreamUploader.open(
	{
		store,
		clock,
		log,
		path,
		nodeId: "node-a",
		takeover: "override",
		segmentCount: 8,
		minimumTargetDuration: 2,
		spoolRoot,
		onFenced: (reason) => {
			throw reason;
		},
	},
	new AbortController().signal,
);
const sweeper = new RetentionSweeper({
	store,
	clock,
	log,
	nodeId: "node-a",
	live: () => [uploader],
	retentionMsOf: () => RETENTION_MS,
});

let pushed = 0;
let released = 0;

/** Real time for the disk, which knows nothing of the clock. */
const realTurn = () => new Promise((resolve) => setTimeout(resolve, 1));

async function pushSegment(): Promise<void> {
	// A publisher that reconnects each few minutes, now and then with other parameters.
	const generation = Math.floor(pushed / 500);
	const part = (rendition: typeof VIDEO | typeof AUDIO, bytes: number) => ({
		rendition,
		init: new Uint8Array(700).fill(generation),
		initHash: generation.toString(16),
		duration: SEGMENT_MS / 1000,
		bytes: new Uint8Array(bytes),
	});
	uploader.push({
		startMs: clock.now(),
		discontinuity: pushed % 100 === 0,
		parts: [part(VIDEO, 4_000), part(AUDIO, 400)],
		release: () => {
			released++;
		},
	});
	pushed++;
	await clock.advance(SEGMENT_MS);
}

async function objects(): Promise<number> {
	let count = 0;
	for (let after: string | null = ""; after !== null; ) {
		const page = await store.list("", { startAfter: after });
		count += page.objects.length;
		after = page.next;
	}
	return count;
}

function heapBytes(): number {
	globalThis.gc?.();
	globalThis.gc?.();
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}

const hourly: { hour: number; heapMb: number; objects: number; spoolItems: number }[] = [];
for (let hour = 1; hour <= HOURS; hour++) {
	for (let i = 0; i < PER_HOUR; i++) {
		store.away = i >= 100 && i < 100 + AWAY_SEGMENTS;
		await pushSegment();
		if (i >= 100 && i < 200) await realTurn();
	}
	while (uploader.metrics.segmentsCommitted + uploader.metrics.segmentsLost < pushed) {
		await realTurn();
		await clock.advance(1);
	}
	const heapMb = Math.round((heapBytes() / 2 ** 20) * 100) / 100;
	hourly.push({ hour, heapMb, objects: await objects(), spoolItems: uploader.metrics.spoolItems });
}

const newest = await readNewest(store, path);
const missing: string[] = [];
for (const entry of newest?.window ?? []) {
	for (const { file, init } of Object.values(entry.parts)) {
		for (const name of [file, init]) {
			if ((await store.head(`streams/cam01/media/${name}`)) === null) missing.push(name);
		}
	}
}
await sweeper[Symbol.asyncDispose]();
await uploader.close();
await rm(spoolRoot, { recursive: true });
console.log(
	JSON.stringify({
		pushed,
		released,
		committed: uploader.metrics.segmentsCommitted,
		lost: uploader.metrics.segmentsLost,
		nextSequence: newest?.nextSequence,
		missing,
		timersLeft: clock.pending,
		hourly,
	}),
);
