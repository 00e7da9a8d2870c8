/** Conditional reads, RFC 9110 §13.1.2: whoever polls a page of the API gets it only when it is another than before. */

import { base64url } from "jose";

/** Routes that make tags of their own know better; what is larger is sent as it is. */
const MAX_TAGGED_BYTES = 4 * 1024 * 1024;
/** Of 128 bits: nobody makes two answers meet but on purpose, to fool himself. */
const TAG_BYTES = 16;

/**
 * Gives a JSON answer to a GET an etag, if it has none: weak, of its bytes. Answers 304 to who has it already. All else
 * goes through as it is.
 */
export async function withEtag(request: Request, response: Response): Promise<Response> {
	if (request.method !== "GET" || response.status !== 200 || response.headers.has("etag")) return response;
	if (!(response.headers.get("content-type") ?? "").startsWith("application/json")) return response;
	const bytes = new Uint8Array(await response.arrayBuffer());
	const headers = new Headers(response.headers);
	if (bytes.length > MAX_TAGGED_BYTES) return new Response(bytes, { status: 200, headers });
	const etag = `W/"${await tagOf(bytes)}"`;
	headers.set("etag", etag);
	if (!isAmong(etag, request.headers.get("if-none-match"))) return new Response(bytes, { status: 200, headers });
	// RFC 9110 §15.4.5: what describes the body is left out.
	headers.delete("content-type");
	headers.delete("content-length");
	return new Response(null, { status: 304, headers });
}

/** Compares weakly, RFC 9110 §8.8.3.2: a proxy may have made the tag weak, or not. */
function isAmong(etag: string, header: string | null): boolean {
	if (header === null) return false;
	const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
	return header.trim() === "*" || header.split(",").some((tag) => opaque(tag) === opaque(etag));
}

async function tagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
	return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).subarray(0, TAG_BYTES));
}
