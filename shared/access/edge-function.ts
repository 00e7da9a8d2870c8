export type EdgeSettings = {
	/** As `edgeKeysOf` of shared/access/edge-token.ts makes them of the stream key secrets. */
	readonly keys: readonly { readonly kid: string; readonly secret: string }[];
	/**
	 * `shared`: playlists are cached for all viewers, and a token ends with its expiry alone. `origin`: each request for a
	 * playlist goes to the functions, which know what was revoked; segments are cached for all.
	 */
	readonly playlists: "shared" | "origin";
};

/** What CloudFront takes at most. */
export const MAX_FUNCTION_BYTES = 10_240;
const PLACE = "__SETTINGS__";

/**
 * The source of the CloudFront Function (runtime cloudfront-js-2.0, on viewer requests), of the text of verify-token.js. It
 * holds secrets.
 */
export function edgeFunctionSource(template: string, settings: EdgeSettings): string {
	if (!template.includes(PLACE)) throw new TypeError(`Cannot make the function at the edge: its text lacks ${PLACE}`);
	const source = template.replace(PLACE, () => JSON.stringify(settings));
	const bytes = new TextEncoder().encode(source).length;
	if (bytes <= MAX_FUNCTION_BYTES) return source;
	throw new RangeError(
		`Cannot make the function at the edge: it has ${bytes} bytes, and CloudFront takes ${MAX_FUNCTION_BYTES}`,
	);
}
