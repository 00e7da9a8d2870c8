/** What a person fills in for an endpoint, before it is sent. */

import type { StreamEventType } from "#shared/events/event-type.ts";
import type { Webhook } from "../../../routes/webhooks.ts";

export type EndpointDraft = {
	readonly url: string;
	readonly description: string;
	/** Empty: all. */
	readonly events: readonly StreamEventType[];
	/** Names, or `~` and a regular expression. Empty: all. */
	readonly paths: readonly string[];
};

export function draftOf(endpoint: Webhook | null): EndpointDraft {
	if (endpoint === null) return { url: "", description: "", events: [], paths: [] };
	const { url, description, events, paths } = endpoint;
	return { url, description, events, paths };
}

/** What is wrong with a URL, as far as it can be told here; `null`: nothing. The functions know more. */
export function urlFault(text: string): string | null {
	if (text.trim() === "") return "Fill in the address that is to receive the events";
	const url = URL.parse(text.trim());
	if (url === null || !/^https?:$/.test(url.protocol)) return "This is no address such as https://example.com/hooks";
	if (url.username !== "" || url.password !== "") return "Leave user and password out; verify the signature instead";
	return null;
}

/** What is wrong with one entry of the paths; `null`: nothing. */
export function pathFault(pattern: string): string | null {
	if (!pattern.startsWith("~")) return null;
	try {
		new RegExp(pattern.slice(1));
		return null;
	} catch {
		// RegExp has no other way to say that a source is malformed.
		return `${pattern} is not a regular expression`;
	}
}

/** The merge patch that makes `endpoint` what was filled in: only what differs. */
export function patchOf(endpoint: Webhook, draft: EndpointDraft): Partial<EndpointDraft> {
	const before = draftOf(endpoint);
	const changed = (name: keyof EndpointDraft) => JSON.stringify(before[name]) !== JSON.stringify(draft[name]);
	return {
		...(changed("url") ? { url: draft.url } : {}),
		...(changed("description") ? { description: draft.description } : {}),
		...(changed("events") ? { events: draft.events } : {}),
		...(changed("paths") ? { paths: draft.paths } : {}),
	};
}
