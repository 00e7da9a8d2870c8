/** Etags as headers have them, RFC 9110 §8.8.3. Ours are strong. */

export function quoted(etag: string): string {
	return `"${etag}"`;
}

/** The etag of a condition; `null` when there is no condition, empty, which matches nothing, when it is no etag. */
export function etagOf(request: Request, header: "if-match"): string | null {
	const value = request.headers.get(header);
	if (value === null) return null;
	return /^"(.*)"$/.exec(value.trim())?.[1] ?? "";
}
