import { PROBLEMS, SluiceError } from "#shared/problem.ts";
import type { Challenge } from "./credentials.ts";
import type { RtspResponse } from "./message.ts";

/** RTSP has no word for these HTTP statuses, or another one. RFC 2326 §7.1.1. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
	"path.readers": 453,
	"path.conflict": 503,
	"timeline.fenced": 503,
	"stream.ended": 404,
	"bytes.limit": 413,
};

/** The answer to a request that failed. The only place where a code becomes an RTSP status. */
export function responseOf(error: unknown, challenge: Challenge): RtspResponse {
	if (!(error instanceof SluiceError)) return { status: 500 };
	const status = STATUS_OF_CODE[error.code] ?? PROBLEMS[error.code].status;
	// Clients show the reason phrase to people: it is the one place where we can tell them what to do.
	return {
		status,
		reason: error.message,
		...(status === 401 ? { headers: { "WWW-Authenticate": challenge.headers } } : {}),
	};
}
