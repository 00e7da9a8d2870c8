/** Path names in a configuration: exact ones, and regular expressions behind a tilde. */

import { isPathName } from "../path-name.ts";

/** Expressions are written by people, and matched against each new name. */
export const MAX_PATTERN_LENGTH = 1024;

/** The names of the entry that every path falls back to. */
const ALL_OTHERS_NAMES: ReadonlySet<string> = new Set(["all_others", "all", "~^.*$"]);

/** Says whether an entry of `paths` stands for every path that has no entry of its own. */
export function isAllOthers(name: string): boolean {
	return ALL_OTHERS_NAMES.has(name);
}

/** Says whether an entry stands for more than one path. */
export function isPattern(name: string): boolean {
	return name.startsWith("~") || isAllOthers(name);
}

/**
 * The expression of `~…` or of a name that stands for all paths; `null` when it is malformed or no expression.
 * MediaMTX's are those of Go, which differ from ours in how flags and groups are written.
 */
export function compilePattern(name: string): RegExp | null {
	if (isAllOthers(name)) return /^.*$/;
	if (!name.startsWith("~") || name.length > MAX_PATTERN_LENGTH) return null;
	const flags = /^\(\?([ims]+)\)/.exec(name.slice(1));
	const source = name.slice(1 + (flags?.[0].length ?? 0)).replaceAll("(?P<", "(?<");
	try {
		return new RegExp(source, flags?.[1] ?? "");
	} catch {
		// RegExp has no other way to say that a source is malformed.
		return null;
	}
}

/** What is wrong with the name of an entry of `paths`, as the end of a sentence; `null` when nothing is. */
export function pathEntryNameFault(name: string): string | null {
	if (isAllOthers(name) || isPathName(name)) return null;
	if (name.startsWith("~")) return compilePattern(name) === null ? "is not a regular expression" : null;
	return "must be all_others, ~ and a regular expression, or a path name: letters, digits, _ - . and /, no slash at either end";
}

export type PathMatch<T> = {
	/** The key of the entry. */
	readonly name: string;
	readonly entry: T;
	/** What the groups of the expression matched, from the first one; empty for an exact name. */
	readonly groups: readonly string[];
};

/** Finds the entry of a path: its own, else the first expression in alphabetical order, else the one for all others. */
export class PathPatterns<T> {
	readonly #exact = new Map<string, T>();
	readonly #patterns: { readonly name: string; readonly expression: RegExp; readonly entry: T }[] = [];

	constructor(entries: Iterable<readonly [string, T]>) {
		for (const [name, entry] of entries) {
			const expression = isPattern(name) ? compilePattern(name) : null;
			if (expression === null) this.#exact.set(name, entry);
			else this.#patterns.push({ name, expression, entry });
		}
		const rank = (name: string) => (isAllOthers(name) ? 1 : 0);
		this.#patterns.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
	}

	/** The entries of exact names. */
	get exact(): ReadonlyMap<string, T> {
		return this.#exact;
	}

	find(path: string): PathMatch<T> | null {
		const entry = this.#exact.get(path);
		if (entry !== undefined) return { name: path, entry, groups: [] };
		for (const { name, expression, entry: found } of this.#patterns) {
			const match = expression.exec(path);
			if (match !== null) return { name, entry: found, groups: match.slice(1).map((group) => group ?? "") };
		}
		return null;
	}
}
