/** Memory of one instance in front of the cache of its data centre, which takes longer to ask than a playlist to send. */

const MAX_PLAYLISTS = 1_000;
/** A longer one is of hours that few viewers look at. With {@link MAX_PLAYLISTS}, at most 64 MiB. */
const MAX_CHARS = 64 * 1024;
/** The share of its life after which one request asks anew, while others go on with what is known. */
export const FRESH_SHARE = 0.9;
/** A request that has not come back by then may have been cut off: another one asks. */
const ASKING_MS = 2_000;
/** In its lives: so old a playlist may be while one request asks, so that a slow bucket is not asked by all at once. */
const MAX_LIVES = 2;

export type KeptPlaylist = {
	readonly text: string;
	readonly headers: Headers;
	/** Its Cache-Control, as it was made. */
	readonly control: string;
	/** When it was made, and when it is too old, in milliseconds since the Unix epoch. */
	readonly storedMs: number;
	readonly untilMs: number;
};

type Entry = KeptPlaylist & { askedMs: number };

/** Playlists by the address that viewers share, for as long as they say. */
export class PlaylistMemory {
	readonly #entries = new Map<string, Entry>();

	/** `null`: whoever asks is to ask on, and to {@link keep} what they get. */
	get(shared: string, nowMs: number): KeptPlaylist | null {
		const entry = this.#entries.get(shared);
		if (entry === undefined) return null;
		const [lifeMs, ageMs] = [entry.untilMs - entry.storedMs, nowMs - entry.storedMs];
		if (ageMs < lifeMs * FRESH_SHARE) return entry;
		if (ageMs < lifeMs * MAX_LIVES && nowMs - entry.askedMs < ASKING_MS) return entry;
		entry.askedMs = nowMs;
		return null;
	}

	keep(shared: string, playlist: KeptPlaylist): void {
		this.#entries.delete(shared);
		if (playlist.text.length > MAX_CHARS) return;
		if (this.#entries.size >= MAX_PLAYLISTS) this.#entries.delete(this.#entries.keys().next().value as string);
		this.#entries.set(shared, { ...playlist, askedMs: Number.NEGATIVE_INFINITY });
	}
}
