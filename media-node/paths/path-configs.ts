import { layeredPathConfig, type PathConfig, type PathOverrides } from "#shared/config/path-config.ts";
import { isPattern, PathPatterns } from "#shared/config/path-pattern.ts";
import type { PathName } from "#shared/path-name.ts";

/** The settings of one path, with all defaults filled in. */
export type ConfiguredPath = {
	/** The key of its entry. */
	readonly name: string;
	readonly config: PathConfig;
	/** What the groups of the entry's expression matched. */
	readonly groups: readonly string[];
};

export type PathConfigSources = {
	readonly pathDefaults: PathConfig;
	/** The entries of the file. */
	readonly paths: Readonly<Record<string, PathOverrides>>;
	/** Documents in the bucket, which are of exact names and go before the file. */
	readonly documents?: ReadonlyMap<string, PathOverrides>;
};

/** Every path's settings, as they are now. Immutable: a change makes another one. */
export class PathConfigs {
	readonly #patterns: PathPatterns<PathConfig>;

	constructor({ pathDefaults, paths, documents = new Map() }: PathConfigSources) {
		const names = new Set([...Object.keys(paths), ...documents.keys()]);
		this.#patterns = new PathPatterns(
			[...names].map((name) => [
				name,
				layeredPathConfig(pathDefaults, paths[name] ?? {}, isPattern(name) ? {} : (documents.get(name) ?? {})),
			]),
		);
	}

	/** `null`: the path is not configured. */
	find(path: PathName): ConfiguredPath | null {
		const match = this.#patterns.find(path);
		return match === null ? null : { name: match.name, config: match.entry, groups: match.groups };
	}

	/** The paths that have an entry of their own, which exist without anybody asking for them. */
	get exact(): ReadonlyMap<string, PathConfig> {
		return this.#patterns.exact;
	}
}
