import * as z from "zod";

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

/** What is counted of a path by one writer in one hour. What is left out is nothing. */
export const countersSchema = z.object({
	/** Requests that the bucket bills as writes (class A): PUT and LIST, failed and repeated ones too. */
	puts: count.default(0),
	/** Requests that it bills as reads (class B): GET and HEAD. */
	gets: count.default(0),
	/** Bytes of objects that were written. */
	bytesIn: count.default(0),
	/** Of those, media: they stay until retention deletes them. */
	bytesKept: count.default(0),
	/** Bytes of media that retention deleted. */
	bytesDeleted: count.default(0),
	/** Playlists and segments that the functions served. */
	playlists: count.default(0),
	segments: count.default(0),
	/** Bytes of those. */
	bytesServed: count.default(0),
	/** Bytes that a node sent to readers by RTSP and WebRTC. */
	bytesToReaders: count.default(0),
	/** While somebody published. */
	secondsLive: count.default(0),
	/** How long viewers of HLS watched, together: an estimate. */
	viewerSeconds: count.default(0),
});
export type Counters = z.infer<typeof countersSchema>;
export type Counter = keyof Counters;

export const COUNTERS = Object.keys(countersSchema.shape) as readonly Counter[];

/** All zero, to add to. */
export function noCounters(): Counters {
	return countersSchema.parse({});
}

/** Adds to `sum`, in place. */
export function addCounters(sum: Counters, more: Partial<Counters>): void {
	for (const name of COUNTERS) sum[name] += more[name] ?? 0;
}

/** Without what is zero, and in whole numbers: what is written is read by people too. */
export function compactCounters(counters: Counters): Partial<Counters> {
	return Object.fromEntries(
		COUNTERS.map((name) => [name, Math.round(counters[name])] as const).filter(([, value]) => value > 0),
	);
}
