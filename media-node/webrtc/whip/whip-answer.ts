/** What WHIP and WHEP answer over HTTP. The only place of this room where a problem becomes a status. Pure. */

import { hasCode, type ProblemCode, problemOf, SluiceError } from "#shared/problem.ts";

export type WhipAnswer = {
	readonly status: number;
	/** Several values of a name are several headers. */
	readonly headers: Readonly<Record<string, string | readonly string[]>>;
	readonly body: string;
};

export type Endpoint = "whip" | "whep";

export const EMPTY: WhipAnswer = { status: 204, headers: {}, body: "" };

/** How long a viewer waits before it asks again for a stream that is not there, and a client for what is overloaded. */
const RETRY_AFTER_S = 2;
const REALM = 'realm="sluice"';

/** What these mean to a peer of WHIP and WHEP, where it is not what they mean elsewhere. */
const STATUSES: Partial<Record<ProblemCode, number>> = {
	// RFC 9110 §15.5.7: there is no answer that the offer would accept.
	"media.unsupported": 406,
	// draft-ietf-wish-whep §4.3: the viewer may try again.
	"stream.not_found": 409,
	"stream.ended": 409,
	"session.closed": 404,
};

/** The answer to a request that failed, with a problem document, RFC 9457. What is no known problem is a 500. */
export function failure(error: unknown, ownStatus?: number): WhipAnswer {
	const problem = problemOf(error);
	const status = ownStatus ?? (problem.code === "internal" ? undefined : STATUSES[problem.code]) ?? problem.status;
	return problemAnswer(status, { ...problem, status });
}

/**
 * An answer to what is wrong about the HTTP request itself. `detail`: a sentence. `status`: where it is not the one that
 * the code has.
 */
export function refusal(
	code: ProblemCode,
	detail: string,
	{ status, headers = {} }: { status?: number; headers?: WhipAnswer["headers"] } = {},
): WhipAnswer {
	const answer = failure(new SluiceError(code, detail), status);
	return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** RFC 9110 §15.5.6: an answer 405 says what is allowed. */
export function notAllowed(method: string, allow: string): WhipAnswer {
	const detail = `The method ${method.slice(0, 20)} is not allowed here: use ${allow}`;
	return refusal("http.method", detail, { headers: { allow } });
}

function problemAnswer(status: number, problem: Readonly<Record<string, unknown>>): WhipAnswer {
	const headers: Record<string, string | string[]> = { "content-type": "application/problem+json" };
	if (status === 401) headers["www-authenticate"] = challenges(problem["code"]);
	const mayRetry = status === 503 || hasStreamToCome(problem["code"]);
	if (mayRetry) headers["retry-after"] = String(RETRY_AFTER_S);
	return { status, headers, body: JSON.stringify(problem) };
}

function hasStreamToCome(code: unknown): boolean {
	return code === "stream.not_found" || code === "stream.ended";
}

/** RFC 6750 §3 and RFC 7617 §2. Browsers ask for user and password on the second. */
function challenges(code: unknown): string[] {
	const isWrong = code === "access.token_invalid" || code === "access.token_expired" || code === "access.token_revoked";
	return [`Bearer ${REALM}${isWrong ? ', error="invalid_token"' : ""}`, `Basic ${REALM}, charset="UTF-8"`];
}

/** Says whether a failure is a fault of the node, which belongs into its log. */
export function isFault(error: unknown): boolean {
	return problemOf(error).code === "internal" && !hasCode(error, "aborted");
}
