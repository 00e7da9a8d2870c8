/** How a webhook leaves the functions. */
export interface WebhookTransport {
	/**
	 * Sends one POST and says what the endpoint answered; of its body, the beginning. Redirects are not followed. Throws when
	 * there was no answer in time, or when the address is not allowed.
	 */
	send(url: string, headers: Readonly<Record<string, string>>, body: string, timeoutMs: number): Promise<WebhookAnswer>;
}

export type WebhookAnswer = {
	readonly status: number;
	/** In seconds, if the endpoint said so. */
	readonly retryAfterS: number | null;
	/** At most {@link MAX_ANSWER_BYTES} of the body; left out where nobody looked. */
	readonly beginning?: Uint8Array;
};

/** More of an answer is not read: it is for people, and may be endless. */
export const MAX_ANSWER_BYTES = 2048;
/** How long the body of an answer is waited for: its status has decided already. */
export const ANSWER_MS = 1000;

/** Reads a Retry-After header, RFC 9110 §10.2.3; `null` when it says nothing of use. */
export function retryAfterOf(header: string | null, nowMs: number): number | null {
	if (header === null) return null;
	if (/^\d{1,9}$/.test(header)) return Number(header);
	const atMs = Date.parse(header);
	return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}

/** What came of the beginning of a body until it was enough. The rest of the last chunk is cut off. */
export function beginningOf(chunks: readonly Uint8Array[]): Uint8Array {
	const all = new Uint8Array(Math.min(MAX_ANSWER_BYTES, lengthOf(chunks)));
	let at = 0;
	for (const chunk of chunks) {
		const part = chunk.subarray(0, all.length - at);
		all.set(part, at);
		at += part.length;
	}
	return all;
}

export function lengthOf(chunks: readonly Uint8Array[]): number {
	return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** Sends with `fetch`: for runtimes whose network has no private addresses to reach. */
export function fetchTransport(now: () => number): WebhookTransport {
	return {
		async send(url, headers, body, timeoutMs) {
			const response = await fetch(url, {
				method: "POST",
				headers,
				body,
				redirect: "manual",
				signal: AbortSignal.timeout(timeoutMs),
			});
			return {
				status: response.status,
				retryAfterS: retryAfterOf(response.headers.get("retry-after"), now()),
				beginning: await readBeginning(response.body),
			};
		},
	};
}

/** Never fails: what is missing of an answer is of no consequence. */
async function readBeginning(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	const reader = body?.getReader();
	if (reader === undefined) return beginningOf(chunks);
	const late = AbortSignal.timeout(ANSWER_MS);
	const stop = () => void reader.cancel().catch(() => undefined);
	late.addEventListener("abort", stop, { once: true });
	try {
		while (lengthOf(chunks) < MAX_ANSWER_BYTES) {
			const { value, done } = await reader.read();
			if (done) break;
			chunks.push(value);
		}
	} catch {
		// The connection broke, or the time is over: the status was there before.
	}
	late.removeEventListener("abort", stop);
	stop();
	return beginningOf(chunks);
}
