/** `start` and `end` in the address of a playlist: what range of time is asked for. */

import { InputError } from "#shared/problem.ts";

/** A range may be so long. */
export const MAX_RANGE_MS = 7 * 86_400_000;

/** Milliseconds since the Unix epoch, or before now. */
export type Moment = { readonly kind: "absolute" | "ago"; readonly ms: number };

export type RangeQuery = {
	readonly start: Moment;
	/** `null`: it goes on as the stream does. */
	readonly end: Moment | null;
};

export type ResolvedRange = {
	readonly startMs: number;
	/** Infinite without an end. */
	readonly endMs: number;
	/** The begin moves on with time. */
	readonly isSliding: boolean;
};

const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+ -]\d\d:\d\d)$/;
const SECONDS = /^-?\d{1,11}(?:\.\d{1,6})?$/;

/** What the address of a playlist asks for; `null` when it asks for no range. @throws InputError `input.invalid` */
export function parseRange(parameters: URLSearchParams): RangeQuery | null {
	const [start, end] = [parameters.get("start"), parameters.get("end")];
	if (start === null && end === null) return null;
	if (start === null) throw new InputError("input.invalid", "An end needs a start: add start=");
	return { start: parseMoment("start", start), end: end === null ? null : parseMoment("end", end) };
}

/** Whether a delta update is asked for (RFC 8216bis §6.2.5.1). @throws InputError `input.invalid` */
export function parseSkip(parameters: URLSearchParams): boolean {
	const skip = parameters.get("_HLS_skip");
	if (skip === null) return false;
	// There are no date ranges, which are all that v2 says more.
	if (skip === "YES" || skip === "v2") return true;
	throw new InputError("input.invalid", "The parameter _HLS_skip is YES or v2");
}

/**
 * The range at a moment. What is relative is counted in whole target durations, so that viewers who come in the same one
 * get the same.
 * @throws InputError `input.invalid` when it is too long, or ends before it starts
 */
export function resolveRange({ start, end }: RangeQuery, nowMs: number, targetDuration: number): ResolvedRange {
	const stepMs = targetDuration * 1000;
	const resolve = ({ kind, ms }: Moment) =>
		kind === "absolute" ? ms : (Math.floor(nowMs / stepMs) - Math.ceil(ms / stepMs)) * stepMs;
	const startMs = resolve(start);
	const endMs = end === null ? Number.POSITIVE_INFINITY : resolve(end);
	if (endMs <= startMs) throw new InputError("input.invalid", "The range is empty: its end must be after its start");
	const lastMs = end === null ? nowMs : endMs;
	if (lastMs - startMs > MAX_RANGE_MS + 2 * stepMs) {
		throw new InputError("input.invalid", "The range is longer than 7 days: ask for a shorter one, with start and end");
	}
	return { startMs, endMs, isSliding: start.kind === "ago" && end === null };
}

function parseMoment(name: string, value: string): Moment {
	if (SECONDS.test(value)) {
		const ms = Math.round(Number(value) * 1000);
		return value.startsWith("-") ? { kind: "ago", ms: Math.abs(ms) } : { kind: "absolute", ms };
	}
	const ms = TIME.test(value)
		? Date.parse(
				value
					.replace(/ (?=\d\d:\d\d$)/, "+")
					.replace(" ", "T")
					.toUpperCase(),
			)
		: Number.NaN;
	if (Number.isNaN(ms)) {
		throw new InputError(
			"input.invalid",
			`The parameter ${name} is no time: give a time such as 2026-01-31T09:00:00Z, Unix seconds, or seconds before now such as -7200`,
		);
	}
	return { kind: "absolute", ms };
}
