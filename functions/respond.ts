/** Every response of the functions is made here; a code of the taxonomy becomes an HTTP status nowhere else. */

import { problemOf, SluiceError } from "#shared/problem.ts";

/** Players and consoles run on other origins. Access is by token, never by cookie, so any origin may ask. */
const CORS = {
	"access-control-allow-origin": "*",
	"access-control-expose-headers": "etag, content-length, content-range, retry-after, location",
};

/** A token may stand in the URL: it must not travel on as a referrer. */
const COMMON = { ...CORS, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };

export type ResponseHeaders = Readonly<Record<string, string>>;

export function respondJson(status: number, body: unknown, headers: ResponseHeaders = {}): Response {
	return new Response(JSON.stringify(body), {
		status,
		headers: { ...COMMON, "content-type": "application/json", "cache-control": "no-store", ...headers },
	});
}

export function respondEmpty(status: number, headers: ResponseHeaders = {}): Response {
	return new Response(null, { status, headers: { ...COMMON, "cache-control": "no-store", ...headers } });
}

export function respondBody(status: number, body: BodyInit | null, headers: ResponseHeaders): Response {
	return new Response(body, { status, headers: { ...COMMON, ...headers } });
}

/** The answer to a CORS preflight. */
export function respondPreflight(): Response {
	return respondEmpty(204, {
		"access-control-allow-methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
		"access-control-allow-headers": "authorization, content-type, if-match, if-none-match, range",
		"access-control-max-age": "86400",
	});
}

/** The problem document of anything that was thrown. RFC 9457. Errors are never cached. */
export function respondProblem(error: unknown, instance: string): Response {
	const problem = problemOf(error);
	const allow =
		error instanceof SluiceError && typeof error.data["allow"] === "string" ? { allow: error.data["allow"] } : {};
	return new Response(JSON.stringify({ ...problem, instance }), {
		status: problem.status,
		headers: {
			...COMMON,
			"content-type": "application/problem+json",
			"cache-control": "no-store",
			...(problem.status === 401 ? { "www-authenticate": 'Bearer realm="sluice"' } : {}),
			...(problem.status === 503 || problem.status === 429
				? { "retry-after": String(problem["retryAfterS"] ?? 2) }
				: {}),
			...allow,
		},
	});
}
