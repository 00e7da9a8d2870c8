/** How a webhook leaves the functions. */
export interface WebhookTransport {
	/**
	 * Sends one POST and says what the endpoint answered; its body is not read. Redirects are not followed. Throws when
	 * there was no answer in time, or when the address is not allowed.
	 */
	send(url: string, headers: Readonly<Record<string, string>>, body: string, timeoutMs: number): Promise<WebhookAnswer>;
}

export type WebhookAnswer = {
	readonly status: number;
	/** In seconds, if the endpoint said so. */
	readonly retryAfterS: number | null;
};

/** Reads a Retry-After header, RFC 9110 §10.2.3; `null` when it says nothing of use. */
export function retryAfterOf(header: string | null, nowMs: number): number | null {
	if (header === null) return null;
	if (/^\d{1,9}$/.test(header)) return Number(header);
	const atMs = Date.parse(header);
	return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
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
			await response.body?.cancel();
			return { status: response.status, retryAfterS: retryAfterOf(response.headers.get("retry-after"), now()) };
		},
	};
}
