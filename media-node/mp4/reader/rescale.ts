/** `time` of `from` ticks per second in `to` ticks per second, rounded; exact up to 2^53 of either. */
export function rescaled(time: number, from: number, to: number): number {
	if (from === to) return time;
	const seconds = Math.floor(time / from);
	return seconds * to + Math.round(((time - seconds * from) * to) / from);
}
