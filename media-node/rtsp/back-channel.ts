/** The feature tag of the audio back channel, as clients require it. ONVIF Streaming Specification §5.3, RFC 2326 §12.32. */

import type { Headers } from "./message.ts";

/** What a client requires that wants to talk. */
export const BACK_CHANNEL = "www.onvif.org/ver20/backchannel";

/** The header of requests that are about a back channel. */
export const REQUIRE_BACK_CHANNEL = { Require: BACK_CHANNEL } as const;

/** Says whether a request is one of a client that wants to talk. */
export function wantsBackChannel(headers: Headers): boolean {
	return tagsOf(headers).some(isKnown);
}

/** What a request requires that we do not know; empty when all is well. */
export function unsupportedTags(headers: Headers): string[] {
	return tagsOf(headers).filter((tag) => !isKnown(tag));
}

function isKnown(tag: string): boolean {
	return tag.toLowerCase() === BACK_CHANNEL;
}

function tagsOf(headers: Headers): string[] {
	return (headers.get("require") ?? "")
		.split(",")
		.map((tag) => tag.trim())
		.filter((tag) => tag !== "");
}
