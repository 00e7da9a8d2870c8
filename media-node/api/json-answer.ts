/** Answers in the form of MediaMTX. */

import { hasCode, SluiceError } from "#shared/problem.ts";
import type { HttpAnswer } from "../http/http-exchange.ts";

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
	return {
		status,
		headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
		body: JSON.stringify(body),
	};
}

/** `{"status":"error","error":…}`. What is not a SluiceError is a bug: 500, without detail. */
export function errorAnswer(error: unknown): HttpAnswer {
	if (!(error instanceof SluiceError)) return failed(500, "internal error; it was logged");
	switch (error.kind) {
		case "denied":
			// Why is for our log alone; who shows nothing may have something to show.
			return failed(
				401,
				"authentication error",
				hasCode(error, "access.token_missing") ? { "www-authenticate": 'Basic realm="sluice"' } : {},
			);
		case "input":
			return failed(400, error.message);
		case "gone":
			return failed(hasCode(error, "http.not_found") ? 404 : 500, error.message);
		default:
			return failed(500, error.message);
	}
}

function failed(status: number, error: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
	return jsonAnswer(status, { status: "error", error }, headers);
}
