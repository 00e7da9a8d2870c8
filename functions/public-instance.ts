/** The path of a URL for logs and problem documents, without what must stay secret: a token as the first segment, and the query. */
export function publicInstance(url: string): string {
	const { pathname } = new URL(url);
	return pathname.replace(/^\/(?!v1\/|\.well-known\/)[^/]{32,}(?=\/|$)/, "/{token}");
}
