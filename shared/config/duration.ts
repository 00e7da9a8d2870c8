import * as z from "zod";

const UNITS_MS: Readonly<Record<string, number>> = {
	ns: 1e-6,
	us: 1e-3,
	µs: 1e-3,
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
	d: 86_400_000,
};
const TERM = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g;

/** Reads `10s`, `1h30m`, `500ms`, `1d`, `0`; a minus sign may stand first. `null` if it is none. */
export function parseDurationMs(text: string): number | null {
	if (text === "0") return 0;
	const negative = text.startsWith("-");
	const body = negative ? text.slice(1) : text;
	let total = 0;
	let eaten = 0;
	for (const match of body.matchAll(TERM)) {
		if (match.index !== eaten) return null;
		eaten += match[0].length;
		total += Number(match[1]) * (UNITS_MS[match[2] as string] as number);
	}
	if (eaten === 0 || eaten !== body.length) return null;
	return negative ? -total : total;
}

/** Writes milliseconds as the shortest duration text, such as `1h30m`. */
export function formatDurationMs(ms: number): string {
	if (ms === 0) return "0s";
	let rest = Math.abs(ms);
	let text = ms < 0 ? "-" : "";
	for (const unit of ["d", "h", "m", "s"] as const) {
		const size = UNITS_MS[unit] as number;
		const n = Math.floor(rest / size);
		if (n > 0) text += `${n}${unit}`;
		rest -= n * size;
	}
	return rest > 0 ? `${text}${rest}ms` : text;
}

const DURATION_FAULT = "must be a duration such as 500ms, 10s, 1h30m or 1d";

/** A duration in a configuration: text such as `10s` outside, the same text inside; {@link durationMs} reads it. */
export const durationSchema = z
	.string(DURATION_FAULT)
	.refine((text) => parseDurationMs(text) !== null, {
		message: DURATION_FAULT,
		abort: true,
	})
	.meta({ description: "A duration such as `500ms`, `10s`, `1h30m` or `1d`" });

/** Milliseconds of a duration that {@link durationSchema} has accepted. */
export function durationMs(text: string): number {
	const ms = parseDurationMs(text);
	if (ms === null) throw new TypeError(`Cannot read duration: current value is ${JSON.stringify(text)}`);
	return ms;
}
