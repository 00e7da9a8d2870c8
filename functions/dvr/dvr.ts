/** Playlists of a range of time: what was, or what is from a moment on. Rendered once for all that ask the same. */

import type { PathName } from "#shared/path-name.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { type Delta, deltaOf, renderList, renderMultivariant } from "#shared/timeline/playlist.ts";
import type { SegmentEntry, TimelineRecord } from "#shared/timeline/record.ts";
import type { Deps } from "../deps.ts";
import { ByteLru } from "./byte-lru.ts";
import { type RangeQuery, type ResolvedRange, resolveRange } from "./range-query.ts";
import { renditionsBetween, type Selection, select } from "./selection.ts";
import { nextSequenceOf, type StreamTimeline, StreamTimelines } from "./stream-timelines.ts";
import { stretchesOf } from "./stretches.ts";

/** Rendered texts in memory: they are ASCII. The longest is about 5 MB. */
const MAX_TEXT_BYTES = 12 * 1024 ** 2;
/** So long who asks the same gets the same: to look for the segments of a range takes a millisecond for each hour at its ends. */
const RECENT_MS = 500;
const MAX_RECENT = 64;
/** Presigned addresses are made one by one for each viewer, and are ten times as long. */
const MAX_PRESIGNED = 5_000;
/** A range that is over is final when nothing was committed for so long, though its end was not reached. */
const SETTLE_MS = 30_000;
/** How long a final playlist is cached: no longer than margins of retention allow. */
const FINAL_AGE_S = 60;

export type DvrPlaylist = {
	readonly text: string;
	/** How long it may be cached, in seconds. */
	readonly maxAgeS: number;
};

export type Asked = {
	readonly path: PathName;
	readonly record: TimelineRecord;
	readonly query: RangeQuery;
};

export type AskedMedia = Asked & {
	readonly rendition: string;
	/** A delta update, if the playlist is long enough. */
	readonly isDelta: boolean;
	/** URLs of files for a playlist of so many seconds; `null` for relative ones, which all viewers share. */
	readonly uriOf: ((seconds: number) => (file: string) => string) | null;
};

/** Where the text is, and for how long it may be cached. */
type Recent = { readonly textKey: string; readonly maxAgeS: number; readonly atMs: number };

export class Dvr {
	readonly timelines: StreamTimelines;
	readonly #clock: Deps["clock"];
	readonly #texts = new ByteLru<string>(MAX_TEXT_BYTES);
	/** What was asked of a timeline just now. */
	readonly #recent = new WeakMap<StreamTimeline, Map<string, Recent>>();

	constructor(deps: Pick<Deps, "store" | "clock" | "sharesReads">) {
		this.timelines = new StreamTimelines(deps);
		this.#clock = deps.clock;
	}

	/** @throws InputError `input.invalid`, GoneError `stream.not_found`, StoreError */
	async multivariant({ path, record, query }: Asked): Promise<DvrPlaylist> {
		const range = resolveRange(query, this.#clock.now(), record.targetDuration);
		const timeline = await this.timelines.get(path, record);
		const renditions = renditionsBetween(timeline, range);
		const stretches = stretchesOf(timeline, this.#clock.now());
		const isThere = stretches.some(([startMs, endMs]) => startMs < range.endMs && endMs > range.startMs);
		if (renditions.length === 0 || !isThere) throw nothingThen(path);
		const urlQuery = carriedQuery(query, range);
		return {
			text: renderMultivariant({ renditions }, { urlOf: (id) => `${id}.m3u8?${urlQuery}` }),
			maxAgeS: liveAgeS(record),
		};
	}

	/** @throws InputError `input.invalid`, GoneError `stream.not_found`, StoreError */
	async media({ path, record, query, rendition, isDelta, uriOf }: AskedMedia): Promise<DvrPlaylist> {
		const nowMs = this.#clock.now();
		const range = resolveRange(query, nowMs, record.targetDuration);
		const timeline = await this.timelines.get(path, record);
		const recently = this.#recentOf(timeline);
		const askedKey = [rendition, range.startMs, range.endMs, range.isSliding, isDelta].join(" ");
		const recent = uriOf === null ? recently.get(askedKey) : undefined;
		if (recent !== undefined && Math.abs(nowMs - recent.atMs) < RECENT_MS) {
			const text = this.#texts.get(recent.textKey);
			if (text !== undefined) return { text, maxAgeS: recent.maxAgeS };
		}
		const selection = await select(this.timelines, timeline, range, rendition, nowMs);
		if (selection === null) throw nothingThen(path);
		if (uriOf !== null && selection.end - selection.begin > MAX_PRESIGNED) {
			const allowed = `A range of presigned addresses has at most ${MAX_PRESIGNED} segments`;
			throw new InputError("input.invalid", `${allowed}: ask for a shorter one, with start and end`);
		}
		const state = stateOf(timeline, range, selection, nowMs);
		const maxAgeS = state.isFinal ? FINAL_AGE_S : liveAgeS(record);
		const key = [
			path,
			rendition,
			selection.begin,
			selection.end,
			record.targetDuration,
			isDelta,
			...Object.values(state),
		];
		if (uriOf !== null) return { text: render(selection, timeline, { rendition, isDelta, uriOf }, state), maxAgeS };
		const textKey = key.join(" ");
		if (recently.size >= MAX_RECENT) recently.clear();
		recently.set(askedKey, { textKey, maxAgeS, atMs: nowMs });
		const known = this.#texts.get(textKey);
		if (known !== undefined) return { text: known, maxAgeS };
		const text = render(selection, timeline, { rendition, isDelta, uriOf }, state);
		this.#texts.set(textKey, text, text.length);
		return { text, maxAgeS };
	}

	#recentOf(timeline: StreamTimeline): Map<string, Recent> {
		const recently = this.#recent.get(timeline) ?? new Map<string, Recent>();
		this.#recent.set(timeline, recently);
		return recently;
	}
}

type State = {
	/** Nothing will come any more within its range. */
	readonly isFinal: boolean;
	readonly isEnded: boolean;
	readonly type: "VOD" | "EVENT" | null;
};

function stateOf(timeline: StreamTimeline, range: ResolvedRange, selection: Selection, nowMs: number): State {
	const { record } = timeline;
	const hasEnded = record.kind === "end" && nextSequenceOf(timeline) <= record.nextSequence;
	const newest = record.window.at(-1);
	const newestEndMs = newest === undefined ? 0 : newest.startMs + newest.duration * 1000;
	const isSettled = hasEnded || newestEndMs >= range.endMs || nowMs >= range.endMs + SETTLE_MS;
	const isFinal = nowMs >= range.endMs && isSettled;
	const isGrowing = !range.isSliding && selection.isWhole;
	return { isFinal, isEnded: isFinal || hasEnded, type: isFinal ? "VOD" : isGrowing ? "EVENT" : null };
}

function render(
	{ begin, end, discontinuitySequence, entriesFrom }: Selection,
	{ record: { targetDuration } }: StreamTimeline,
	{ rendition, isDelta, uriOf }: Pick<AskedMedia, "rendition" | "isDelta" | "uriOf">,
	{ isEnded, type }: State,
): string {
	const delta = isEnded ? null : deltaOfEnd(begin, end, entriesFrom, targetDuration);
	const skipped = isDelta ? (delta?.skipped ?? 0) : 0;
	const [before = null] = skipped === 0 ? [] : entriesFrom(begin + skipped - 1);
	const entries = [...entriesFrom(begin + skipped)];
	let seconds = 0;
	if (uriOf !== null) for (const { duration } of entriesFrom(begin)) seconds += duration;
	return renderList(
		{
			targetDuration,
			mediaSequence: begin,
			discontinuitySequence,
			type,
			isEnded,
			canSkipUntil: delta?.canSkipUntil ?? null,
			skipped,
			entries,
			before,
		},
		rendition,
		{ uriOf: uriOf?.(seconds) ?? ((file) => file) },
	);
}

/** What a delta update leaves out, told from as few of the last segments as that takes. */
function deltaOfEnd(
	begin: number,
	end: number,
	entriesFrom: (sequence: number) => Iterable<SegmentEntry>,
	targetDuration: number,
): Delta | null {
	for (let count = 32; ; count *= 2) {
		const from = Math.max(begin, end - count);
		const delta = deltaOf([...entriesFrom(from)], targetDuration);
		if (delta !== null) return { ...delta, skipped: delta.skipped + from - begin };
		if (from === begin) return null;
	}
}

/** The range as the renditions' playlists are asked for: what has an end is the same for all of them. */
function carriedQuery({ start, end }: RangeQuery, { startMs, endMs }: ResolvedRange): string {
	const seconds = (ms: number) => String(ms / 1000);
	if (end !== null) return `start=${seconds(startMs)}&end=${seconds(endMs)}`;
	return start.kind === "ago" ? `start=-${seconds(start.ms)}` : `start=${seconds(startMs)}`;
}

function liveAgeS({ targetDuration }: TimelineRecord): number {
	return Math.max(1, Math.floor(targetDuration / 2));
}

function nothingThen(path: PathName): GoneError {
	return new GoneError(
		"stream.not_found",
		`Nothing of ${path} is kept of that time; /v1/streams/{name}/recordings lists what there is`,
	);
}
