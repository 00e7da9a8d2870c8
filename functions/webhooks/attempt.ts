/** One attempt to deliver: signed, sent, and what came of it. */

import { signWebhook } from "#shared/events/standard-webhooks.ts";
import { InputError } from "#shared/problem.ts";
import type { Deps } from "../deps.ts";
import { type Attempt, MAX_ANSWER_CHARS, type Payload } from "./delivery.ts";
import type { Outcome } from "./delivery-name.ts";
import { activeSecrets, type Endpoint } from "./endpoint.ts";
import { assertWebhookUrl } from "./url-guard.ts";

/** Standard Webhooks: 15 to 30 seconds. */
export const ATTEMPT_TIMEOUT_MS = 15_000;

export type AttemptDeps = Pick<Deps, "clock" | "webhooks"> & {
	readonly settings: Pick<Deps["settings"], "webhookAllowInsecure">;
};

/** `status` is 0 where nothing was answered. */
export type Attempted = { readonly attempt: Attempt; readonly status: number; readonly retryAfterS: number | null };

/** Sends an event to an endpoint. No answer is an outcome like any other: it never fails. */
export async function attemptDelivery(
	{ webhooks, clock, settings }: AttemptDeps,
	endpoint: Endpoint,
	event: Payload,
): Promise<Attempted> {
	const body = JSON.stringify(event);
	const atMs = clock.now();
	const began = clock.monotonic();
	const made = (outcome: Outcome, answer: string): Attempt => ({
		atMs,
		durationMs: Math.round(clock.monotonic() - began),
		outcome,
		answer,
	});
	try {
		// It may have been allowed when it was made, and not be any more.
		assertWebhookUrl(endpoint.url, settings.webhookAllowInsecure);
		const signed = await signWebhook(event.id, atMs, body, activeSecrets(endpoint, atMs));
		const headers = { ...signed, "content-type": "application/json", "user-agent": "Sluice-Webhooks" };
		const { status, retryAfterS, beginning } = await webhooks.send(endpoint.url, headers, body, ATTEMPT_TIMEOUT_MS);
		const outcome: Outcome = status >= 100 && status <= 999 ? `${status}` : "failed";
		return { attempt: made(outcome, printable(beginning ?? new Uint8Array())), status, retryAfterS };
	} catch (error) {
		const said = error instanceof Error ? error.message : String(error);
		return { attempt: made(reasonOf(error), said.slice(0, MAX_ANSWER_CHARS)), status: 0, retryAfterS: null };
	}
}

/** What did not come so far as an attempt. */
export function notAttempted(atMs: number, outcome: "deleted" | "disabled"): Attempt {
	return { atMs, durationMs: 0, outcome, answer: "" };
}

const REASON_OF_CODE: Readonly<Record<string, Outcome>> = {
	ECONNREFUSED: "refused",
	ECONNRESET: "reset",
	EPIPE: "reset",
	ENOTFOUND: "dns",
	EAI_AGAIN: "dns",
	ETIMEDOUT: "timeout",
};

function reasonOf(error: unknown): Outcome {
	if (!(error instanceof Error)) return "failed";
	if (error.name === "TimeoutError") return "timeout";
	if (error instanceof InputError) return "address";
	const code = "code" in error && typeof error.code === "string" ? error.code : "";
	return REASON_OF_CODE[code] ?? (error.cause === undefined ? "failed" : reasonOf(error.cause));
}

/** Text that a person can look at without harm, on one line: a stranger wrote it. */
export function printable(bytes: Uint8Array): string {
	return new TextDecoder()
		.decode(bytes)
		.replace(/[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\uFFFD]+/gu, " ")
		.replace(/ {2,}/g, " ")
		.trim()
		.slice(0, MAX_ANSWER_CHARS)
		.toWellFormed();
}
