import { THUMBNAIL_SUBJECT } from "#shared/access/thumbnail-subject.ts";
import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import type { UsageMeter } from "#shared/usage/usage-meter.ts";

/** Who has not asked for a playlist for so long does not watch any more: players ask at least each target duration. */
export const VIEWER_WINDOW_MS = 30_000;
/** Of all paths of an instance. Those that are more are not counted. */
const MAX_VIEWERS = 100_000;

/** Who asks: where from, and with which token, made for whom. */
export type SeenViewer = { readonly address: string; readonly token: string; readonly subject: string };

/** By a hash of who they are: when they asked for a playlist last. */
type Viewers = Map<number, number>;

/**
 * What an instance of the functions serves to viewers of HLS, counted as it happens: a few additions in memory, and
 * never a wait. How many watch is an estimate of this instance: it counts those who asked *it* within half a minute.
 */
export class Served {
	readonly #clock: Clock;
	readonly #meter: Pick<UsageMeter, "add"> | null;
	readonly #paths = new Map<PathName, Viewers>();
	#size = 0;

	constructor(clock: Clock, meter: Pick<UsageMeter, "add"> | null) {
		this.#clock = clock;
		this.#meter = meter;
	}

	playlist(path: PathName, bytes: number): void {
		this.#meter?.add(path, { playlists: 1, bytesServed: bytes });
	}

	segment(path: PathName, bytes: number): void {
		this.#meter?.add(path, { segments: 1, bytesServed: bytes });
	}

	/**
	 * Somebody asked for a playlist of a path: a viewer, unless it is for a small picture in the console. They are taken to have watched since they asked last, if that was within
	 * {@link VIEWER_WINDOW_MS}: who comes, and who goes, is counted a little too low.
	 */
	seen(path: PathName, { address, token, subject }: SeenViewer): void {
		if (subject === THUMBNAIL_SUBJECT) return;
		const nowMs = this.#clock.monotonic();
		const id = hashOf(token, hashOf(address, 0));
		const beforeMs = this.#paths.get(path)?.get(id);
		if (beforeMs === undefined) {
			if (this.#size >= MAX_VIEWERS) this.#forgetAll(nowMs);
			if (this.#size >= MAX_VIEWERS) return;
			this.#size++;
		} else if (nowMs - beforeMs < VIEWER_WINDOW_MS) {
			this.#meter?.add(path, { viewerSeconds: (nowMs - beforeMs) / 1000 });
		}
		const viewers = this.#paths.get(path) ?? new Map<number, number>();
		this.#paths.set(path, viewers);
		// The least recently seen are first.
		viewers.delete(id);
		viewers.set(id, nowMs);
		this.#forget(viewers, nowMs);
	}

	/** How many have asked for playlists of a path within {@link VIEWER_WINDOW_MS}. */
	viewersOf(path: PathName): number {
		const viewers = this.#paths.get(path);
		if (viewers === undefined) return 0;
		this.#forget(viewers, this.#clock.monotonic());
		if (viewers.size === 0) this.#paths.delete(path);
		return viewers.size;
	}

	#forget(viewers: Viewers, nowMs: number): void {
		for (const [id, atMs] of viewers) {
			if (nowMs - atMs < VIEWER_WINDOW_MS) return;
			viewers.delete(id);
			this.#size--;
		}
	}

	#forgetAll(nowMs: number): void {
		for (const [path, viewers] of this.#paths) {
			this.#forget(viewers, nowMs);
			if (viewers.size === 0) this.#paths.delete(path);
		}
	}
}

/**
 * A number for a text, so that no token is kept: FNV-1a (32 bits). Of a long one the last characters tell, which in a
 * token are its signature.
 */
function hashOf(text: string, seed: number): number {
	let hash = (0x811c9dc5 ^ seed) >>> 0;
	for (let i = Math.max(0, text.length - 32); i < text.length; i++) {
		hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
	}
	return hash;
}
