/** Runs the commands that paths ask for when something happens to their streams. Part of the wiring. */

import type { PathConfig } from "#shared/config/path-config.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import { type HookFacts, type HookParty, hookEnvironment } from "./hooks/hook-environment.ts";
import type { HookRunner } from "./hooks/hook-runner.ts";
import type { MomentHook } from "./hooks/hooks.ts";
import type { Logger } from "./log.ts";
import type { ConfiguredPath, PathConfigs } from "./paths/path-configs.ts";
import type { StreamObserver } from "./paths/stream-observer.ts";
import type { PublisherInfo, ReaderInfo } from "./stream/publication.ts";
import type { Stream } from "./stream/stream.ts";

export type PathHooksOptions = {
	readonly runner: HookRunner;
	readonly log: Logger;
	/** Port of the RTSP server; `null` when there is none. */
	readonly rtspPort: () => number | null;
	readonly configured: (path: PathName) => ConfiguredPath | null;
};

export class PathHooks implements Partial<StreamObserver> {
	readonly #options: PathHooksOptions;
	/** Moments that last, by what they are of. */
	readonly #moments = new Map<string, AsyncDisposable>();
	/** Paths of the configuration, and the command that runs for each. */
	readonly #initial = new Map<string, string>();

	constructor(options: PathHooksOptions) {
		this.#options = options;
	}

	/** Paths with a name of their own exist from the start: their command runs as long as they do. */
	apply(configs: PathConfigs): void {
		const wanted = new Map<string, string>();
		for (const [name, { runOnInit, runOnInitRestart }] of configs.exact) {
			if (runOnInit !== "") wanted.set(name, `${runOnInit}\n${runOnInitRestart}`);
		}
		for (const [name, command] of this.#initial) {
			if (wanted.get(name) === command) continue;
			this.#initial.delete(name);
			this.#end(`init ${name}`);
		}
		for (const [name, command] of wanted) {
			if (this.#initial.has(name) || !isPathName(name)) continue;
			const config = configs.exact.get(name);
			if (config === undefined) continue;
			this.#initial.set(name, command);
			this.#begin(`init ${name}`, "runOnInit", config, { path: name });
		}
	}

	/** Somebody wants to read a path to which nobody publishes. */
	demand(path: PathName, { config, groups }: ConfiguredPath, query: string): AsyncDisposable {
		const facts = { path, groups, query, rtspPort: this.#options.rtspPort() };
		return this.#options.runner.begin("runOnDemand", config, hookEnvironment(facts));
	}

	streamBegan(stream: Stream, publisher: PublisherInfo): void {
		this.#begin(`available ${stream.path}`, "runOnAvailable", stream.config, this.#factsOf(stream, publisher));
		this.#online(stream, publisher);
	}

	publisherReturned(stream: Stream, publisher: PublisherInfo): void {
		this.#online(stream, publisher);
	}

	publisherLeft({ path }: Stream): void {
		this.#end(`online ${path}`);
	}

	streamEnded({ path }: Stream): void {
		this.#end(`online ${path}`);
		this.#end(`available ${path}`);
	}

	readerJoined(stream: Stream, reader: ReaderInfo): void {
		if (reader.id === "") return;
		const facts = { ...this.#pathFacts(stream), query: reader.query, reader };
		this.#begin(`read ${reader.id}`, "runOnRead", stream.config, facts);
	}

	readerLeft(_: Stream, { id }: ReaderInfo): void {
		this.#end(`read ${id}`);
	}

	/** An offline clip is available, and not online. */
	#online(stream: Stream, publisher: PublisherInfo): void {
		if (publisher.role === "offline") return;
		this.#begin(`online ${stream.path}`, "runOnOnline", stream.config, this.#factsOf(stream, publisher));
	}

	#factsOf(stream: Stream, { id, protocol, type = protocol, query = "" }: PublisherInfo): Omit<HookFacts, "rtspPort"> {
		const source: HookParty = { type, id };
		return { ...this.#pathFacts(stream), query, source };
	}

	#pathFacts({ path }: Stream): Omit<HookFacts, "rtspPort"> {
		return { path, groups: this.#options.configured(path)?.groups ?? [] };
	}

	#begin(key: string, hook: MomentHook, config: PathConfig, facts: Omit<HookFacts, "rtspPort">): void {
		this.#end(key);
		const environment = hookEnvironment({ ...facts, rtspPort: this.#options.rtspPort() });
		this.#moments.set(key, this.#options.runner.begin(hook, config, environment));
	}

	#end(key: string): void {
		const moment = this.#moments.get(key);
		if (moment === undefined) return;
		this.#moments.delete(key);
		Promise.resolve(moment[Symbol.asyncDispose]()).catch((error: unknown) => {
			this.#options.log.error({ err: error }, "The command of a hook could not be stopped");
		});
	}
}
