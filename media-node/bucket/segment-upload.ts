/** Puts the objects of segments into the bucket: under names that no other segment ever has. */

import type { PathName } from "#shared/path-name.ts";
import { initFile, mediaFile, mediaKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { PendingPart, PendingSegment } from "#shared/timeline/pending-segment.ts";
import { type Retry, retried } from "#shared/timeline/retry.ts";
import type { UploadedPart, UploadedSegment } from "#shared/timeline/window.ts";

/** A segment of a slow uplink takes long; one that hangs must not hold the stream for ever. */
export const UPLOAD_ATTEMPT_MS = 60_000;
const CACHE_CONTROL = "public, max-age=31536000, immutable";

export type SegmentUploadOptions = {
	readonly store: ObjectStore;
	readonly retry: Retry;
	readonly path: PathName;
	/** The epoch of the timeline's writer: it alone uses names with it. */
	readonly epoch: number;
};

export class SegmentUpload {
	readonly #options: SegmentUploadOptions;
	#serial = 0;
	/** The init segment in force, by rendition. An older one that comes again is a new object, since the old may be gone. */
	readonly #inits = new Map<string, { readonly hash: string; readonly file: string }>();

	constructor(options: SegmentUploadOptions) {
		this.#options = options;
	}

	/**
	 * Uploads all parts of a segment at once, and the init segments that changed. One segment at a time, in the order in
	 * which they will be committed. Tries until `signal` fires.
	 */
	async upload(segment: PendingSegment, signal: AbortSignal): Promise<UploadedSegment> {
		const serial = this.#serial++;
		const uploads: Promise<unknown>[] = [];
		const parts = segment.parts.map((part): UploadedPart => {
			const { rendition, duration, bytes } = part;
			const file = mediaFile(this.#options.epoch, serial, rendition.id);
			uploads.push(this.#put(file, bytes, part, signal));
			return { rendition, file, init: this.#initOf(part, serial, uploads, signal), duration, bytes: bytes.length };
		});
		await Promise.all(uploads);
		return { startMs: segment.startMs, discontinuity: segment.discontinuity, parts };
	}

	#initOf(part: PendingPart, serial: number, uploads: Promise<unknown>[], signal: AbortSignal): string {
		const { id } = part.rendition;
		const inForce = this.#inits.get(id);
		if (inForce?.hash === part.initHash) return inForce.file;
		const file = initFile(this.#options.epoch, serial, id);
		this.#inits.set(id, { hash: part.initHash, file });
		uploads.push(this.#put(file, part.init, part, signal));
		return file;
	}

	async #put(file: string, bytes: Uint8Array, { rendition }: PendingPart, signal: AbortSignal): Promise<void> {
		const { store, retry, path } = this.#options;
		const contentType = rendition.kind === "video" ? "video/mp4" : "audio/mp4";
		await retried(
			retry,
			(attempt) =>
				store.put(mediaKey(path, file), bytes, { contentType, cacheControl: CACHE_CONTROL, signal: attempt }),
			signal,
			UPLOAD_ATTEMPT_MS,
		);
	}
}
