import { abortedError } from "#shared/clock.ts";
import { SluiceError, StoreError } from "#shared/problem.ts";
import { unsatisfiable } from "#shared/store/byte-range.ts";

const THROTTLED = new Set(["SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded"]);
/**
 * Client errors that pass: a connection that was too slow, and a clock that is wrong, which the SDK notices and sets
 * right for the next request.
 */
const PASSING = new Set(["RequestTimeout", "ClientDisconnect", "RequestTimeTooSkewed"]);

const HINTS: Readonly<Record<string, string>> = {
	AccessDenied: "check the policy of the credentials; they need Get, Put, Delete and List",
	CredentialsProviderError: "give credentials, for example as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
	InvalidAccessKeyId: "check AWS_ACCESS_KEY_ID",
	SignatureDoesNotMatch: "check AWS_SECRET_ACCESS_KEY and the region",
	NoSuchBucket: "create the bucket, or check its name and the endpoint",
	PermanentRedirect: "the bucket is in another region; set `region`",
	AuthorizationHeaderMalformed: "the bucket is in another region; set `region`",
	NotImplemented: "the server lacks a feature that is needed, such as conditional writes",
};

/** Makes a SluiceError of what the SDK threw. `what` says what could not be done. A read of a missing object is not its case. */
export function s3Error(error: unknown, what: string, signal?: AbortSignal): SluiceError {
	if (error instanceof SluiceError) return error;
	if (signal?.aborted) return abortedError(signal);
	const { status, name, text } = factsOf(error);
	const hint = HINTS[name];
	const message = `Cannot ${what}: ${text}${hint === undefined ? "" : `; ${hint}`}`;
	if (status === 416) return unsatisfiable(undefined);
	return new StoreError(storeCode(status, name), message, { cause: error, data: status === null ? {} : { status } });
}

function storeCode(status: number | null, name: string): StoreError["code"] & `store.${string}` {
	if (THROTTLED.has(name) || status === 429) return "store.throttled";
	if (status === null) return name === "CredentialsProviderError" ? "store.refused" : "store.unavailable";
	if (status === 412) return "store.precondition";
	if (status === 409) return "store.conflict";
	// A success that could not be read is none: some proxies answer for the bucket.
	if (status < 300 || PASSING.has(name) || status === 408) return "store.unavailable";
	if (status >= 500 && status !== 501) return "store.unavailable";
	return "store.refused";
}

/** Says whether the answer was 404 for the object, and not for its bucket. */
export function isMissing(error: unknown): boolean {
	const { status, name } = factsOf(error);
	return status === 404 && name !== "NoSuchBucket";
}

/** Says whether the answer was 304 Not Modified. */
export function isNotModified(error: unknown): boolean {
	return factsOf(error).status === 304;
}

/** An answer that is no S3 error document, such as a proxy's page, has its status only in `$response`. */
function factsOf(error: unknown): { status: number | null; name: string; text: string } {
	if (!(error instanceof Error)) return { status: null, name: "", text: String(error) };
	const { $metadata, $response, code } = error as Error & {
		readonly $metadata?: { readonly httpStatusCode?: number };
		readonly $response?: { readonly statusCode?: number };
		readonly code?: unknown;
	};
	const status = $metadata?.httpStatusCode ?? $response?.statusCode ?? null;
	const label = error.name === "Error" && typeof code === "string" ? code : error.name;
	return {
		status,
		name: error.name,
		text: `${error.message || "no answer"} (${label}${status === null ? "" : `, ${status}`})`,
	};
}
