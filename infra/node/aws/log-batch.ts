/** Lines of the journal as CloudWatch Logs takes them, https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */

export type LogEvent = { readonly timestamp: number; readonly message: string };

/** Of one call: 1 MiB, each event counting 26 bytes more; 10,000 events. */
const MAX_BATCH_BYTES = 1_048_576;
const EVENT_OVERHEAD_BYTES = 26;
export const MAX_BATCH_EVENTS = 10_000;
/** A longer line is cut. */
export const MAX_MESSAGE_BYTES = 32 * 1024;
/** What is kept while CloudWatch is away; then the oldest lines go. */
export const MAX_WAITING_EVENTS = 20_000;

/** Reads a line of `journalctl --output=json`; `null` for what is not one. */
export function logEvent(line: string): LogEvent | null {
	let entry: unknown;
	try {
		entry = JSON.parse(line);
	} catch {
		// A line that was cut off, when the journal's reader was stopped.
		return null;
	}
	if (typeof entry !== "object" || entry === null) return null;
	const { MESSAGE, __REALTIME_TIMESTAMP: time } = entry as Record<string, unknown>;
	// The journal gives a text that is not UTF-8 as a list of bytes.
	const message = Array.isArray(MESSAGE) ? Buffer.from(MESSAGE as number[]).toString() : MESSAGE;
	const timestamp = Math.trunc(Number(time) / 1000);
	if (typeof message !== "string" || message === "" || !Number.isSafeInteger(timestamp)) return null;
	return { timestamp, message: cut(message) };
}

function cut(message: string): string {
	if (Buffer.byteLength(message) <= MAX_MESSAGE_BYTES) return message;
	// A character that was cut in two becomes U+FFFD, of three bytes.
	return Buffer.from(message)
		.subarray(0, MAX_MESSAGE_BYTES - 3)
		.toString();
}

/** Lines that wait to be sent. */
export class LogBatch {
	readonly #waiting: LogEvent[] = [];
	#lost = 0;

	add(event: LogEvent): void {
		if (this.#waiting.length >= MAX_WAITING_EVENTS) {
			this.#waiting.shift();
			this.#lost++;
		}
		this.#waiting.push(event);
	}

	get size(): number {
		return this.#waiting.length;
	}

	/** How many lines were dropped since the last time that somebody asked. */
	takeLost(): number {
		const lost = this.#lost;
		this.#lost = 0;
		return lost;
	}

	/** The next call's events, in the order of their time. They stay until {@link sent}. */
	next(): LogEvent[] {
		let bytes = 0;
		let count = 0;
		for (const { message } of this.#waiting) {
			bytes += Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES;
			if (bytes > MAX_BATCH_BYTES || count === MAX_BATCH_EVENTS) break;
			count++;
		}
		return this.#waiting.slice(0, count).sort((a, b) => a.timestamp - b.timestamp);
	}

	/** Forgets the first `count` lines. */
	sent(count: number): void {
		this.#waiting.splice(0, count);
	}
}
