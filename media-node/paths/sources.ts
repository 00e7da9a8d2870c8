import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { sourcesOf } from "#shared/config/rules.ts";
import { isStaticSource } from "#shared/config/source.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import type { Logger } from "../log.ts";
import type { StreamTable } from "../stream/publication.ts";
import type { ConfiguredPath, PathConfigs } from "./path-configs.ts";
import type { SourceDriver } from "./source.ts";
import { SourceRunner } from "./source-runner.ts";
import { StartPacer } from "./start-pacer.ts";
import { withVariables } from "./variables.ts";

/** Between two connections that are begun: two hundred take four seconds. */
const START_INTERVAL_MS = 20;

export type SourcesOptions = {
	readonly drivers: readonly SourceDriver[];
	readonly table: Pick<StreamTable, "publish">;
	readonly clock: Clock;
	readonly log: Logger;
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
};

/** Says whether a path is supplied by the node itself, whether anybody reads or not. */
export function isSuppliedAlways(config: PathConfig): boolean {
	return sourcesOf(config).some(isStaticSource) && !config.sourceOnDemand;
}

/** The settings that a source runs with: when they change, it begins anew. */
const SOURCE_KEYS = [
	"source",
	"sourceFingerprint",
	"sourceFile",
	"rtspTransport",
	"rtspAnyPort",
	"rtspRangeType",
	"rtspRangeStart",
	"rtspScale",
	"rtspUDPSourcePortRange",
	"rtspDemuxMpegts",
	"rtspBackChannel",
	"rtpSDP",
	"whepBearerToken",
	"whepHandshakeTimeout",
	"whepTrackGatherTimeout",
] as const satisfies readonly (keyof PathConfig)[];

/** Says in one text what a source runs with. */
export function sourceSettings(config: PathConfig): string {
	return JSON.stringify(SOURCE_KEYS.map((key) => config[key]));
}

/** The sources that the node pulls from: those of the configuration always, others when they are asked for. */
export class Sources implements AsyncDisposable {
	readonly #options: SourcesOptions;
	readonly #pacer: StartPacer;
	readonly #always = new Map<PathName, { readonly runner: SourceRunner; readonly settings: string }>();
	/** Of runners that were replaced or are no longer wanted. */
	readonly #ending = new Set<Promise<void>>();

	constructor(options: SourcesOptions) {
		this.#options = options;
		this.#pacer = new StartPacer(options.clock, START_INTERVAL_MS);
	}

	/** Runs a source until it is disposed. */
	start(path: PathName, { config, groups }: ConfiguredPath, query: string): SourceRunner {
		const sources = sourcesOf(config).map((source) => withVariables(source, { path, groups, query }));
		return SourceRunner.start({ ...this.#options, path, config, sources, pacer: this.#pacer });
	}

	/** Starts and stops what the configuration asks for; what it does not change goes on. */
	apply(configs: PathConfigs): void {
		for (const [path, { runner, settings }] of this.#always) {
			const config = configs.exact.get(path);
			if (config !== undefined && isSuppliedAlways(config) && sourceSettings(config) === settings) continue;
			this.#always.delete(path);
			const ending = runner[Symbol.asyncDispose]().finally(() => this.#ending.delete(ending));
			this.#ending.add(ending);
		}
		for (const [name, config] of configs.exact) {
			if (!isPathName(name) || this.#always.has(name) || !isSuppliedAlways(config)) continue;
			const runner = this.start(name, { name, config, groups: [] }, "");
			this.#always.set(name, { runner, settings: sourceSettings(config) });
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const runners = [...this.#always.values()].map(({ runner }) => runner[Symbol.asyncDispose]());
		this.#always.clear();
		await Promise.all([...runners, ...this.#ending]);
	}
}
