/** How a player fares, for people: what they read is in `text`. */
export type PlayerState =
	| { readonly kind: "connecting" }
	| { readonly kind: "playing" }
	/** It failed, and will be tried again by itself. */
	| { readonly kind: "retrying"; readonly text: string; readonly inMs: number }
	/** It failed, and trying again would not help. */
	| { readonly kind: "failed"; readonly text: string };

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 15_000;
const GROWTH = 1.6;

/** How long to wait before try number `attempt` (from 0), with jitter of a quarter. `random`: 0 to 1. */
export function retryDelayMs(attempt: number, random: number): number {
	return Math.round(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * GROWTH ** attempt) * (0.75 + random / 2));
}

/** Anything that plays into an element until it is closed, once. */
export type Playback = {
	close(): void;
};
