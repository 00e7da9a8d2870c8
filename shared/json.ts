/** JSON that others wrote, which may be anything. */

import type * as z from "zod";

/** A text as JSON; `null`, which no schema of an object or list takes, when it is none. Never throws. */
export function jsonOrNull(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// JSON.parse has no other way to say no; its message cites the text, and with it what may be secret.
		return null;
	}
}

/** What a text says, if it is JSON that `schema` takes; else `null`. Never throws. */
export function parsedJson<S extends z.ZodType>(schema: S, text: string): z.output<S> | null {
	return schema.safeParse(jsonOrNull(text)).data ?? null;
}
