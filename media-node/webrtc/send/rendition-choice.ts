/** Which encoding of a picture a viewer's network carries. Pure. */

/** What is known of an encoding. */
export type RenditionRate = {
	/** Bits per second over the last second; 0 while it is not sent. */
	readonly bitrate: number;
};

/** Above what it takes by itself, for sound, repairs, and pictures that are larger than others. */
const HEADROOM = 1.15;
/** What a better one needs before it is gone to: the present one has to be left no sooner than another one fits for good. */
const UP_HEADROOM = 1.3;

/**
 * The place of the encoding to send: the one of the highest rate that `target` bits per second carry, or else of the
 * lowest. `null` target: there is no limit. The present one stays unless it is too much, or a better one fits by far.
 * `present`: -1 for none. -1: there is none.
 */
export function chooseRendition(renditions: readonly RenditionRate[], present: number, target: number | null): number {
	const now = renditions[present]?.bitrate ?? 0;
	let best = -1;
	let lowest = -1;
	for (const [i, { bitrate }] of renditions.entries()) {
		if (bitrate <= 0) continue;
		if (lowest === -1 || bitrate < (renditions[lowest]?.bitrate ?? 0)) lowest = i;
		const needed = bitrate * (now > 0 && bitrate > now ? UP_HEADROOM : HEADROOM);
		if (target !== null && i !== present && needed > target) continue;
		// The present one is left when it does not fit at all: its rate goes up and down.
		if (target !== null && i === present && bitrate > target) continue;
		if (best === -1 || bitrate > (renditions[best]?.bitrate ?? 0)) best = i;
	}
	return best === -1 ? lowest : best;
}

/** What the network has to carry before {@link chooseRendition} goes up from `present`; `null` when there is no better. */
export function rateForBetter(renditions: readonly RenditionRate[], present: number): number | null {
	const now = renditions[present]?.bitrate ?? 0;
	const better = renditions.map(({ bitrate }) => bitrate).filter((bitrate) => bitrate > now);
	return better.length === 0 ? null : Math.min(...better) * UP_HEADROOM;
}
