import type { WrittenObject } from "./recording-store.ts";

/**
 * What a request changes, for the audit log. Made before its handler, which fills in what only it knows; what it leaves
 * out is told by the first object that it wrote.
 */
export type Change = {
	/** What was changed: a path, the id of a key or an endpoint. */
	target: string;
	/** The etag of what was there; `null` when there was nothing. */
	before: string | null;
	/** The etag of what is there now; `null` when there is nothing. */
	after: string | null;
	/** More, for people. Never a secret. */
	detail: Readonly<Record<string, unknown>>;
	/** What it wrote, as it goes. */
	readonly objects: WrittenObject[];
	/** Whether this is for the audit log. */
	isAudited: boolean;
};
