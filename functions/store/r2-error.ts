import { SluiceError, StoreError } from "#shared/problem.ts";
import { unsatisfiable } from "#shared/store/byte-range.ts";

/**
 * R2's own error codes: internal error, unavailable, client disconnected. An error of the binding ends with its code in
 * brackets; one without a code never reached R2.
 * @see https://developers.cloudflare.com/r2/api/error-codes/
 */
const PASSING = new Set(["", "10001", "10043", "10054"]);
const PRECONDITION_FAILED = "10031";
const INVALID_RANGE = "10039";
const TOO_MANY_REQUESTS = "10058";

/** Makes a SluiceError of what the binding threw. `what` says what could not be done. */
export function r2Error(error: unknown, what: string): SluiceError {
	if (error instanceof SluiceError) return error;
	const text = error instanceof Error ? error.message : String(error);
	const code = /\((\d{5,6})\)\s*$/.exec(text)?.[1] ?? "";
	if (code === INVALID_RANGE) return unsatisfiable(undefined);
	return new StoreError(storeCode(code), `Cannot ${what}: ${text}`, { cause: error });
}

function storeCode(code: string) {
	if (code === TOO_MANY_REQUESTS) return "store.throttled";
	if (code === PRECONDITION_FAILED) return "store.precondition";
	return PASSING.has(code) ? "store.unavailable" : "store.refused";
}
