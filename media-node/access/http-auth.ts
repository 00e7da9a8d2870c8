import { allows, type Permission } from "#shared/access/permission.ts";
import { abortedError, type Clock, throwIfAborted } from "#shared/clock.ts";
import { ANY_USER } from "#shared/config/user.ts";
import { DeniedError, StoreError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { Turnstile } from "../stream/turnstile.ts";
import { type AccessRequest, type Authenticator, showsNothing } from "./access.ts";
import { useOf } from "./bearer.ts";
import { createPinnedAgent, fetchPinned, type PinnedResponse } from "./fingerprint.ts";

/** How many questions of a node the server has before it at the same time, and how many more may wait. */
export const MAX_IN_FLIGHT = 64;
export const MAX_WAITING = 1024;
/** How much of a refusal is read, and how much of that goes into the log. */
const MAX_ANSWER_BYTES = 128 * 1024;
const MAX_LOGGED_CHARS = 256;
const MAX_SUBJECT_CHARS = 256;
/** The subject of who was let in without a user name. */
const UNNAMED = "http";

export type HttpAuthOptions = {
	/** `authHTTPAddress`. */
	readonly address: string;
	/** `authHTTPFingerprint`; empty: the certificate must be one that this machine trusts. */
	readonly fingerprint: string;
	/** `authHTTPExclude`: what everybody may do unasked. */
	readonly exclude: readonly Permission[];
	/** `readTimeout`: how long a session waits for its answer, milliseconds, the time in line included. */
	readonly timeoutMs: number;
	readonly clock: Clock;
	readonly log: Logger;
};

/**
 * Asks an HTTP server whether to let a client in, as MediaMTX does: any 2xx says yes. Nothing is remembered.
 * @throws InputError `config.invalid`
 */
export function createHttpAuth(options: HttpAuthOptions): Authenticator & Disposable {
	const { address, fingerprint, exclude, timeoutMs, clock, log } = options;
	const agent = createPinnedAgent({ url: address, fingerprint });
	const line = new Turnstile({ atOnce: MAX_IN_FLIGHT, maxWaiting: MAX_WAITING, full: tooMany });

	function ask(request: AccessRequest, signal: AbortSignal): Promise<PinnedResponse> {
		throwIfAborted(signal);
		return fetchPinned(address, {
			agent,
			fingerprint,
			signal,
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(questionOf(request)),
			maxBytes: MAX_ANSWER_BYTES,
			wantsBody: (status) => !isYes(status),
		});
	}

	/** Who has gone, or has waited long enough, leaves at once; its place in line finds nothing to do. */
	async function answerTo(request: AccessRequest, signal?: AbortSignal): Promise<PinnedResponse> {
		const stop = new AbortController();
		const onAbort = () => stop.abort(signal?.reason);
		signal?.addEventListener("abort", onAbort, { once: true });
		let isLate = false;
		using _timer = clock.after(timeoutMs, () => {
			isLate = true;
			stop.abort();
		});
		try {
			const asked = line.pass(async () => ask(request, stop.signal));
			return await Promise.race([asked, untilAborted(stop.signal)]);
		} catch (error) {
			if (isLate) throw tooLate(timeoutMs, error);
			throw error;
		} finally {
			signal?.removeEventListener("abort", onAbort);
		}
	}

	return {
		async authorize(request, signal) {
			throwIfAborted(signal);
			const { action, path, user, ip } = request;
			if (allows(exclude, action, path)) return { subject: ANY_USER, expiresMs: null };
			const { status, body } = await answerTo(request, signal);
			if (isYes(status)) return { subject: user.slice(0, MAX_SUBJECT_CHARS) || UNNAMED, expiresMs: null };
			const use = useOf(action, path);
			if (showsNothing(request)) {
				throw new DeniedError("access.token_missing", `To ${use} takes a user and password, or a token`);
			}
			log.info(
				{ ip, path, status, answer: excerptOf(body, request) },
				`The authentication server did not allow to ${use}`,
			);
			throw new DeniedError("access.credentials", `User and password are wrong, or do not allow to ${use}`);
		},
		[Symbol.dispose]: () => agent.destroy(),
	};
}

/** The question as MediaMTX asks it, with these fields in this order. */
function questionOf(request: AccessRequest): Record<string, string | null> {
	const { ip, user, password, token, action, path, protocol, id, query, userAgent } = request;
	return { ip, user, password, token, action, path, protocol, id: id === "" ? null : id, query, userAgent };
}

function isYes(status: number): boolean {
	return status >= 200 && status < 300;
}

/** The start of an answer for the log: in one line, without what the client showed. */
function excerptOf(body: Uint8Array, { password, token, query }: AccessRequest): string {
	let text = new TextDecoder().decode(body);
	for (const secret of [password, token, query]) {
		if (secret === "") continue;
		text = text.replaceAll(secret, "***").replaceAll(JSON.stringify(secret).slice(1, -1), "***");
	}
	const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
	return line.length > MAX_LOGGED_CHARS ? `${line.slice(0, MAX_LOGGED_CHARS)}…` : line;
}

function untilAborted(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		if (signal.aborted) reject(abortedError(signal));
		else signal.addEventListener("abort", () => reject(abortedError(signal)), { once: true });
	});
}

function tooMany(): StoreError {
	return new StoreError("store.unavailable", "Too many clients wait for the authentication server; try again later");
}

function tooLate(timeoutMs: number, cause: unknown): StoreError {
	const message = `The authentication server did not answer within ${timeoutMs} ms; try again later`;
	return new StoreError("store.unavailable", message, { cause });
}
