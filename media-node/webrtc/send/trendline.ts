/** What the delay of packets says of the network: `overuse` is a queue that grows. */
export type NetworkUse = "normal" | "overuse" | "underuse";

/** How many groups of packets the line is drawn through. */
const WINDOW = 20;
const SMOOTHING = 0.9;
const GAIN = 4;
const MAX_DELTAS = 60;
/** A queue has to grow for this long. */
const OVERUSE_MS = 10;
/** Limits of the threshold, in ms, and how fast it goes up and down. draft-ietf-rmcat-gcc-02 §5.4 and §5.5. */
const INITIAL_THRESHOLD = 12.5;
const MIN_THRESHOLD = 6;
const MAX_THRESHOLD = 600;
const THRESHOLD_UP = 0.0087;
const THRESHOLD_DOWN = 0.039;
const OUTLIER = 15;
const MAX_STEP_MS = 100;

/**
 * Tells from the delays of groups of packets whether a queue grows on their way: by the slope of a line through them,
 * against a threshold that adapts itself, so that other traffic does not starve this one.
 * @see draft-ietf-rmcat-gcc-02 §5.3 to §5.5
 */
export class Trendline {
	readonly #points: { readonly atMs: number; readonly delayMs: number }[] = [];
	#deltas = 0;
	#firstMs = Number.NaN;
	#accumulated = 0;
	#smoothed = 0;
	#threshold = INITIAL_THRESHOLD;
	#thresholdMs = Number.NaN;
	#overMs = 0;
	#overs = 0;
	#lastTrend = 0;
	use: NetworkUse = "normal";

	/** Takes how much later a group came after the one before than it was sent after it. `arrivalMs`: of the group. */
	update(arrivalDeltaMs: number, sendDeltaMs: number, arrivalMs: number): void {
		this.#deltas = Math.min(MAX_DELTAS, this.#deltas + 1);
		if (Number.isNaN(this.#firstMs)) this.#firstMs = arrivalMs;
		this.#accumulated += arrivalDeltaMs - sendDeltaMs;
		this.#smoothed = SMOOTHING * this.#smoothed + (1 - SMOOTHING) * this.#accumulated;
		this.#points.push({ atMs: arrivalMs - this.#firstMs, delayMs: this.#smoothed });
		if (this.#points.length > WINDOW) this.#points.shift();
		if (this.#points.length === WINDOW) this.#detect(this.#slope(), sendDeltaMs, arrivalMs);
	}

	#slope(): number {
		let [sumX, sumY] = [0, 0];
		for (const { atMs, delayMs } of this.#points) {
			sumX += atMs;
			sumY += delayMs;
		}
		const [meanX, meanY] = [sumX / this.#points.length, sumY / this.#points.length];
		let [above, below] = [0, 0];
		for (const { atMs, delayMs } of this.#points) {
			above += (atMs - meanX) * (delayMs - meanY);
			below += (atMs - meanX) ** 2;
		}
		return below === 0 ? 0 : above / below;
	}

	#detect(slope: number, sendDeltaMs: number, nowMs: number): void {
		const trend = this.#deltas * slope * GAIN;
		if (trend > this.#threshold) {
			this.#overMs += this.#overs === 0 ? sendDeltaMs / 2 : sendDeltaMs;
			this.#overs++;
			if (this.#overMs > OVERUSE_MS && this.#overs > 1 && slope >= this.#lastTrend) {
				this.#overMs = 0;
				this.#overs = 0;
				this.use = "overuse";
			}
		} else {
			this.#overMs = 0;
			this.#overs = 0;
			this.use = trend < -this.#threshold ? "underuse" : "normal";
		}
		this.#lastTrend = slope;
		this.#adapt(trend, nowMs);
	}

	#adapt(trend: number, nowMs: number): void {
		const size = Math.abs(trend);
		const sinceMs = Number.isNaN(this.#thresholdMs) ? 0 : Math.min(MAX_STEP_MS, nowMs - this.#thresholdMs);
		this.#thresholdMs = nowMs;
		// What is far off is no trend but a single event.
		if (size > this.#threshold + OUTLIER) return;
		const speed = size < this.#threshold ? THRESHOLD_DOWN : THRESHOLD_UP;
		this.#threshold += speed * (size - this.#threshold) * sinceMs;
		this.#threshold = Math.min(MAX_THRESHOLD, Math.max(MIN_THRESHOLD, this.#threshold));
	}
}
