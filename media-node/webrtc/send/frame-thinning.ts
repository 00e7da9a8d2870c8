/** What may be on its way, in a network as thin as the estimate says, before video is held up. */
export const MAX_QUEUE_MS = 400;
/** What may still be on its way when video goes on. */
const RESUME_QUEUE_MS = 50;
/** The estimate has to be below the rate of the stream by this much: both go up and down. */
const MARGIN = 0.95;

/**
 * Decides which pictures a viewer on a thin network gets: from a key frame on as many as the network carries without a
 * delay that grows, and then none up to a key frame before which what was sent has arrived. Nothing is decided by time
 * alone, so that it can be followed step by step.
 */
export type Thinning = {
	/** Bits that were sent and are taken to be on their way. */
	queuedBits: number;
	updatedMs: number;
	/** Video is held up to a key frame. */
	isHeld: boolean;
};

export function newThinning(): Thinning {
	return { queuedBits: 0, updatedMs: 0, isHeld: false };
}

/**
 * Takes what passed since the last call into account: the network carried `target` bits per second. `null`, or a target
 * that carries the stream, means that nothing is queued.
 */
export function drainThinning(state: Thinning, target: number | null, streamBitrate: number, nowMs: number): void {
	const passedMs = Math.max(0, nowMs - state.updatedMs);
	state.updatedMs = nowMs;
	if (target === null || target >= streamBitrate * MARGIN) state.queuedBits = 0;
	else state.queuedBits = Math.max(0, state.queuedBits - (target * passedMs) / 1000);
}

/** Takes note of what is sent, of video and of all else. */
export function addToThinning(state: Thinning, bytes: number): void {
	state.queuedBits += bytes * 8;
}

/**
 * Says whether the picture that begins now is sent. `begins`: it is a key frame. `measuredMs`: how long packets wait, as
 * the viewer's feedback says, which comes later than what is taken into account here, but knows of other traffic.
 * Video that is held goes on with a key frame that finds the network free.
 */
export function allowsPicture(state: Thinning, target: number | null, measuredMs: number, begins: boolean): boolean {
	if (state.isHeld) {
		if (begins && couldResume(state, target, measuredMs)) state.isHeld = false;
	} else if (queueOf(state, target, measuredMs) > MAX_QUEUE_MS) {
		state.isHeld = true;
	}
	return !state.isHeld;
}

/** Says whether a key frame would find the network free. */
export function couldResume(state: Thinning, target: number | null, measuredMs: number): boolean {
	return queueOf(state, target, measuredMs) <= RESUME_QUEUE_MS;
}

function queueOf({ queuedBits }: Thinning, target: number | null, measuredMs: number): number {
	return target === null ? 0 : Math.max(measuredMs, (queuedBits * 1000) / target);
}
