/**
 * What a playlist's address may ask for besides its path, in its normal form: it is a part of cache keys, so that who asks
 * the same gets the same. `infra/edge/verify-token.js` makes the same form; `test/vectors/edge-token.json` has cases.
 */

import { InputError } from "#shared/problem.ts";

/** As `PLAYBACK_QUERY` of infra/cdn-paths.ts, in this order. */
export const PLAYBACK_PARAMETERS = ["_HLS_msn", "_HLS_part", "_HLS_skip", "start", "end"] as const;
/** Numbers, times of RFC 3339 and YES; a plus sign may come as the space that forms make of it. */
const VALUE = /^[0-9A-Za-z:.+ -]{1,40}$/;

/**
 * The query of a playlist in its normal form, with its question mark; empty when it asks for nothing. The first value of a
 * name counts; what is not known is left out.
 * @throws InputError `input.invalid` for a value that no parameter can have
 */
export function playbackQuery(parameters: URLSearchParams): string {
	const parts: string[] = [];
	for (const name of PLAYBACK_PARAMETERS) {
		const value = parameters.get(name);
		if (value === null) continue;
		if (!VALUE.test(value)) throw new InputError("input.invalid", `The parameter ${name} has no such value`);
		parts.push(`${name}=${value.replace(/[+ ]/g, "%2B")}`);
	}
	return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
