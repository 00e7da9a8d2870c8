/** Which addresses a CDN leaves to the API; all others are playback, whose first segment is a token. */
export const API_PATTERNS = [
	"/v1/*",
	"/whip/*",
	"/whep/*",
	"/ingest/*",
	"/read/*",
	"/auth",
	"/healthz",
	"/openapi.json",
	"/.well-known/*",
	"/console*",
	"/",
] as const;

/** Of the console, what is named by its content and so never changes: kept by a CDN, as no other address of the API is. */
export const CONSOLE_ASSETS_PATTERN = "/console/assets/*";

/** What a playlist's address may ask for besides its path; nothing else is part of a cache key. */
export const PLAYBACK_QUERY = ["_HLS_msn", "_HLS_part", "_HLS_skip", "start", "end"] as const;

/** How a function at the edge proves to the origin that it has verified a token: see functions/routes/playback.ts. */
export const EDGE_HEADER = "x-sluice-edge";

/** Sources of the CloudFront Functions, from the root of the repository. */
export const EDGE_FUNCTION = "infra/edge/verify-token.js";
export const FORWARD_HOST_FUNCTION = "infra/edge/forward-host.js";

/** Whether CloudFront matches a path with a pattern: `*` is any text, `?` any character. */
export function matchesPattern(pattern: string, path: string): boolean {
	const expression = pattern
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replaceAll("*", ".*")
		.replaceAll("?", ".");
	return new RegExp(`^${expression}$`).test(path);
}
