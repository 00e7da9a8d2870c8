/** MediaMTX's HLS settings are for all paths; ours are for each: what a file says of all becomes their default. */

type Raw = Record<string, unknown>;

const OF_PATHS = ["hls", "hlsSegmentDuration", "hlsSegmentCount"] as const;

/** Keys that may stand at the top of a file, though the schema has them elsewhere. */
export const GLOBAL_HLS_KEYS = [...OF_PATHS, "hlsAddress"] as const;

/** Moves them to where they belong, and notes where they came from. */
export function withHlsOfPaths(
	raw: Raw,
	origins: ReadonlyMap<string, readonly string[]>,
): { value: Raw; origins: ReadonlyMap<string, readonly string[]> } {
	const value = { ...raw };
	const moved = new Map(origins);
	const move = (from: string, to: readonly string[]) => moved.set(to.join("\n"), origins.get(from) ?? [from]);
	const defaults: Raw = { ...(value["pathDefaults"] as Raw | undefined) };
	for (const key of OF_PATHS) {
		if (!(key in value)) continue;
		if (!(key in defaults)) {
			defaults[key] = value[key];
			move(key, ["pathDefaults", key]);
		}
		// Nobody who switches HLS off expects its port to be taken.
		if (key === "hls" && value[key] === false && !("functions" in value)) value["functions"] = false;
		delete value[key];
	}
	if ("hlsAddress" in value) {
		if (!("functionsAddress" in value)) {
			value["functionsAddress"] = value["hlsAddress"];
			move("hlsAddress", ["functionsAddress"]);
		}
		delete value["hlsAddress"];
	}
	if (Object.keys(defaults).length > 0) value["pathDefaults"] = defaults;
	return { value, origins: moved };
}
