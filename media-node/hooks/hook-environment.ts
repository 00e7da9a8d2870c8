import type { Environment } from "./command-line.ts";

/** Longest value of a variable, in UTF-16 units: Linux refuses a variable above 128 KiB. The rest is cut off. */
export const MAX_VALUE_LENGTH = 32_768;
/** Most groups of a path's regular expression that become variables. */
export const MAX_GROUPS = 99;

/** Something with a type and an ID of the control API, such as `rtspSession`. */
export type HookParty = { readonly type: string; readonly id: string };

/** What is known at the moment of a hook. What is left out gets no variable. */
export type HookFacts = {
	/** Port of the RTSP server; empty if there is none. */
	readonly rtspPort: number | null;
	/** Name of the path. */
	readonly path?: string;
	/** Groups of the path's regular expression, from the first. A group that did not take part is undefined. */
	readonly groups?: readonly (string | undefined)[];
	/** Query of the publisher or the reader, URL-encoded as it came, without the question mark. */
	readonly query?: string;
	readonly source?: HookParty;
	readonly reader?: HookParty;
	readonly connection?: HookParty;
	/** A recording's segment: its file, and its length in milliseconds once it is complete. */
	readonly segment?: { readonly path: string; readonly durationMs?: number };
};

/** The variables that a hook's command gets besides those of the node, with the names of MediaMTX. Pure. */
export function hookEnvironment(facts: HookFacts): Environment {
	const variables: Record<string, string | undefined> = {
		RTSP_PORT: facts.rtspPort === null ? "" : String(facts.rtspPort),
		MTX_PATH: facts.path,
		// The name of MTX_PATH in old configurations.
		RTSP_PATH: facts.path,
		MTX_QUERY: facts.query,
		MTX_SOURCE_TYPE: facts.source?.type,
		MTX_SOURCE_ID: facts.source?.id,
		MTX_READER_TYPE: facts.reader?.type,
		MTX_READER_ID: facts.reader?.id,
		MTX_CONN_TYPE: facts.connection?.type,
		MTX_CONN_ID: facts.connection?.id,
		MTX_SEGMENT_PATH: facts.segment?.path,
		MTX_SEGMENT_DURATION: facts.segment?.durationMs === undefined ? undefined : seconds(facts.segment.durationMs),
	};
	facts.groups?.slice(0, MAX_GROUPS).forEach((group, index) => {
		variables[`G${index + 1}`] = group ?? "";
	});
	const environment: Record<string, string> = {};
	for (const [name, value] of Object.entries(variables)) {
		// A variable of a process ends at a NUL.
		if (value !== undefined) environment[name] = value.slice(0, MAX_VALUE_LENGTH).replaceAll("\0", "");
	}
	return environment;
}

/** Seconds in decimal digits, never with an exponent. */
function seconds(ms: number): string {
	return (Math.round(ms) / 1000).toFixed(3).replace(/\.?0+$/, "");
}
