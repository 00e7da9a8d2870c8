/** How long ago, or until when, in words. */

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
	["day", 86_400],
	["hour", 3_600],
	["minute", 60],
	["second", 1],
];

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `3 minutes ago`, `in 2 days`, `now`. */
export function elapsed(atMs: number, nowMs: number): string {
	const seconds = Math.round((atMs - nowMs) / 1000);
	if (Math.abs(seconds) < 5) return "now";
	const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
	// What just began is not shorter by one already: 8 hours are in 8 hours for half an hour.
	return words.format(seconds < 0 ? Math.trunc(seconds / length) : Math.round(seconds / length), unit);
}
