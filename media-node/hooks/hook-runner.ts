import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";
import { Command } from "./command.ts";
import type { Environment } from "./command-line.ts";
import { type Hook, type HookConfig, type InstantHook, MOMENTS, type MomentHook } from "./hooks.ts";

/** Most commands that run at the same time. */
export const MAX_COMMANDS = 1000;
/** How long commands may go on when the runner is disposed. Closing one takes 6 s more, and its output a moment: 10 s in all. */
const FINISH_MS = 3500;

export type HookRunnerOptions = {
	readonly clock: Clock;
	readonly log: Logger;
	/** Most commands that run at the same time: {@link MAX_COMMANDS} unless told. */
	readonly maxCommands?: number;
};

/**
 * Runs the commands of the configuration's hooks, and owns every process of them. Dispose it after what begins moments:
 * it ends the moments that are left with their closing commands, lets what runs finish for 3.5 s, closes the rest, and
 * takes 10 s at most.
 */
export class HookRunner implements AsyncDisposable {
	readonly #options: HookRunnerOptions;
	readonly #commands = new Set<Command>();
	readonly #moments = new Set<Moment>();
	#state: "open" | "finishing" | "closed" = "open";
	#refused = 0;
	#disposed: Promise<void> | null = null;

	constructor(options: HookRunnerOptions) {
		this.#options = options;
	}

	/** How many commands run now. */
	get running(): number {
		return this.#commands.size;
	}

	/**
	 * Starts the command of a moment that lasts. Disposing what it returns is the moment's end: its command is terminated,
	 * then the closing command is started, for which nobody waits but the runner. Never throws.
	 */
	begin(hook: MomentHook, config: HookConfig, env: Environment): AsyncDisposable {
		const { restart, closing } = MOMENTS[hook];
		// What begins this late does not run its opening command, so it gets no closing one either.
		if (this.#state !== "open") return { [Symbol.asyncDispose]: async () => {} };
		const command = this.#start(hook, config[hook], config[restart] ?? false, env);
		const moment = new Moment(command, () => {
			this.#moments.delete(moment);
			if (closing !== null) this.#start(closing, config[closing], false, env);
		});
		this.#moments.add(moment);
		return moment;
	}

	/** Runs the command of a moment without a length. Nobody waits for it but the runner. Never throws. */
	once(hook: InstantHook, config: HookConfig, env: Environment): void {
		if (this.#state === "open") this.#start(hook, config[hook], false, env);
	}

	[Symbol.asyncDispose](): Promise<void> {
		this.#disposed ??= this.#dispose();
		return this.#disposed;
	}

	#start(name: Hook, line: string | null | undefined, restart: boolean, env: Environment): Command | null {
		if (line === undefined || line === null || line.trim() === "") return null;
		const { clock, log, maxCommands = MAX_COMMANDS } = this.#options;
		if (this.#state === "closed") {
			log.warn({ hook: name }, `${name} was not run: the node is stopping`);
			return null;
		}
		if (this.#commands.size >= maxCommands) {
			// One line for each burst: a flood of clients must not become a flood of lines.
			if (this.#refused++ === 0) {
				log.error(
					{ hook: name },
					`${name} was not run: ${maxCommands} commands of hooks run already; make them end sooner`,
				);
			}
			return null;
		}
		if (this.#refused > 0) log.warn(`${this.#refused} commands of hooks were not run, because too many ran already`);
		this.#refused = 0;
		const command = Command.start({ line, env, restart, clock, log, name });
		this.#commands.add(command);
		void command.ended.then(() => this.#commands.delete(command));
		return command;
	}

	async #dispose(): Promise<void> {
		this.#state = "finishing";
		const late = Promise.withResolvers<void>();
		{
			using _timer = this.#options.clock.after(FINISH_MS, late.resolve);
			await Promise.race([this.#finish(), late.promise]);
		}
		this.#state = "closed";
		await Promise.all([...this.#commands].map((command) => command.close()));
	}

	/** Ends the moments and waits for every command, the closing ones included. */
	async #finish(): Promise<void> {
		await Promise.all([...this.#moments].map((moment) => moment[Symbol.asyncDispose]()));
		await Promise.all([...this.#commands].map((command) => command.ended));
	}
}

/** A moment that lasts. Its end comes once, however often it is disposed. */
class Moment implements AsyncDisposable {
	readonly #command: Command | null;
	readonly #over: () => void;
	#ended: Promise<void> | null = null;

	constructor(command: Command | null, over: () => void) {
		this.#command = command;
		this.#over = over;
	}

	[Symbol.asyncDispose](): Promise<void> {
		this.#ended ??= this.#end();
		return this.#ended;
	}

	async #end(): Promise<void> {
		await this.#command?.close();
		this.#over();
	}
}
