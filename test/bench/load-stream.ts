/** The stream of the load bench, committed as a node commits it, and a bucket that counts how often it is read. */

import { systemClock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import { initFile, mediaFile } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";

/** What the playlists of the bench are of. */
export const PATH = parsePathName("site/cam01");
export const RENDITION = "v0";
export const SEGMENT_MS = 2_000;
const WINDOW = 7;

/** Makes the path live, with a window that is full, and commits another segment each two seconds until disposal. */
export async function goLive(store: ObjectStore): Promise<AsyncDisposable> {
	const stopping = new AbortController();
	const { signal } = stopping;
	const writer = await TimelineWriter.open(
		{
			...{ store, clock: systemClock, path: PATH, owner: "bench", takeover: "override", leaseMs: 60_000 },
			...{ segmentCount: WINDOW, minimumTargetDuration: SEGMENT_MS / 1000 },
		},
		signal,
	);
	const duration = SEGMENT_MS / 1000;
	const init = initFile(writer.epoch, 0, RENDITION);
	const rendition = { id: RENDITION, kind: "video" as const, codecs: "avc1.64001f", width: 1280, height: 720 };
	const commit = (n: number) => {
		const part = { rendition, file: mediaFile(writer.epoch, n, RENDITION), init, duration, bytes: 500_000 };
		return writer.commitSegment({ startMs: systemClock.now(), discontinuity: false, parts: [part] }, signal);
	};
	for (let n = 0; n < WINDOW; n++) await commit(n);
	let next = WINDOW;
	let last: Promise<unknown> = Promise.resolve();
	const timer = systemClock.every(SEGMENT_MS, () => {
		last = last.then(() => commit(next++));
	});
	return {
		async [Symbol.asyncDispose]() {
			timer[Symbol.dispose]();
			await last;
			await writer.close(signal);
		},
	};
}

/** What is read for viewers; the rest is that of webhooks, which are looked for every five seconds. */
const FOR_VIEWERS = /^(?:streams|config)\//;

/** `store`, and how often it was asked to read for viewers: each GET, HEAD and LIST counts. */
export function countingReads(store: ObjectStore): { readonly store: ObjectStore; readonly reads: () => number } {
	let reads = 0;
	const counted = new Set<string | symbol>(["get", "getIfChanged", "head", "list"]);
	const proxy = new Proxy(store, {
		get(target, name) {
			const value: unknown = Reflect.get(target, name);
			if (typeof value !== "function") return value;
			return (...args: unknown[]) => {
				if (counted.has(name) && FOR_VIEWERS.test(String(args[0]))) reads++;
				return Reflect.apply(value, target, args);
			};
		},
	});
	return { store: proxy, reads: () => reads };
}
