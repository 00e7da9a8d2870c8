import type { Clock } from "#shared/clock.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import type { Logger } from "../log.ts";
import type { Stream } from "../stream/stream.ts";
import type { ForwardDriver } from "./forward.ts";
import { ForwardRunner, type ForwardSnapshot, type LiveStream } from "./forward-runner.ts";
import type { PathConfigs } from "./path-configs.ts";
import type { StreamObserver } from "./stream-observer.ts";
import { withVariables } from "./variables.ts";

export type ForwardsOptions = {
	readonly drivers: readonly ForwardDriver[];
	readonly clock: Clock;
	readonly log: Logger;
	/** How long a destination may be silent; read for each attempt. */
	readonly timeoutMs: () => number;
};

/** A runner, and what it runs with: another one takes its place when that changes. */
type Entry = { readonly key: string; readonly runner: ForwardRunner };

/** Sends the streams of paths on to the destinations that they are configured with, for as long as they are there. */
export class Forwards implements Partial<StreamObserver>, AsyncDisposable {
	readonly #options: ForwardsOptions;
	readonly #entries = new Map<PathName, readonly Entry[]>();
	readonly #live = new Map<PathName, LiveStream>();
	/** Of runners that were replaced or are no longer wanted. */
	readonly #ending = new Set<Promise<void>>();
	#configs: PathConfigs | null = null;

	constructor(options: ForwardsOptions) {
		this.#options = options;
	}

	/** Takes over other destinations; those that stay as they are go on. */
	apply(configs: PathConfigs): void {
		this.#configs = configs;
		const exact = [...configs.exact.keys()].filter(isPathName);
		for (const path of new Set([...this.#entries.keys(), ...this.#live.keys(), ...exact])) this.#arrange(path);
	}

	streamBegan(stream: Pick<Stream, "path"> & LiveStream): void {
		this.#live.set(stream.path, stream);
		this.#arrange(stream.path);
	}

	streamEnded({ path }: Pick<Stream, "path">): void {
		this.#live.delete(path);
		this.#arrange(path);
		for (const { runner } of this.#entries.get(path) ?? []) runner.stop();
	}

	/** The destinations of a path in their order, or of all paths. */
	list(path?: string): ForwardSnapshot[] {
		return [...this.#entries]
			.filter(([name]) => path === undefined || name === path)
			.flatMap(([, entries]) => entries.map(({ runner }) => runner.snapshot));
	}

	/** Stops all, and waits until nothing runs. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#configs = null;
		for (const path of [...this.#entries.keys()]) this.#arrange(path);
		await Promise.all(this.#ending);
	}

	/** Makes the runners of a path those of its configuration. */
	#arrange(path: PathName): void {
		const { drivers, clock, log, timeoutMs } = this.#options;
		const configured = this.#configs?.find(path) ?? null;
		const stream = this.#live.get(path);
		// A path without an entry of its own is there while it has a stream.
		const isThere = stream !== undefined || this.#configs?.exact.has(path) === true;
		const before = [...(this.#entries.get(path) ?? [])];
		const entries: Entry[] = [];
		if (configured !== null && isThere) {
			const variables = { path, groups: configured.groups, query: "" };
			for (const settings of configured.config.forward) {
				const url = withVariables(settings.dest, variables);
				const key = JSON.stringify([url, settings]);
				const kept = before.findIndex((entry) => entry.key === key);
				const [entry] = kept === -1 ? [] : before.splice(kept, 1);
				const options = { path, settings, url, drivers, clock, log, timeoutMs };
				entries.push(entry ?? { key, runner: new ForwardRunner(options) });
			}
		}
		for (const { runner } of before) this.#end(runner);
		if (entries.length === 0) this.#entries.delete(path);
		else this.#entries.set(path, entries);
		for (const [position, { runner }] of entries.entries()) {
			runner.position = position;
			if (stream !== undefined) runner.start(stream);
		}
	}

	#end(runner: ForwardRunner): void {
		const ending = runner[Symbol.asyncDispose]().finally(() => this.#ending.delete(ending));
		this.#ending.add(ending);
	}
}
