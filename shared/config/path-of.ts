import { layeredPathConfig, type PathConfig, type PathOverrides } from "./path-config.ts";
import { PathPatterns } from "./path-pattern.ts";

/** Entries are looked up on each request, and change rarely. */
const patternsOf = new WeakMap<object, PathPatterns<PathOverrides>>();

/** The settings of a path: its own document goes before its entry, which goes before the defaults. */
export function pathConfigOf(
	{
		pathDefaults,
		paths,
	}: { readonly pathDefaults: PathConfig; readonly paths: Readonly<Record<string, PathOverrides>> },
	path: string,
	document: PathOverrides = {},
): PathConfig {
	let patterns = patternsOf.get(paths);
	if (patterns === undefined) {
		patterns = new PathPatterns(Object.entries(paths));
		patternsOf.set(paths, patterns);
	}
	return layeredPathConfig(pathDefaults, patterns.find(path)?.entry ?? {}, document);
}
