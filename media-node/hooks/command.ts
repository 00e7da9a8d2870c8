import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "#shared/clock.ts";
import { SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { commandArguments, type Environment } from "./command-line.ts";
import { OutputLines } from "./output-lines.ts";
import { endGroup, groupExists, hasOnlyZombies } from "./process-group.ts";

/** The pause before a command with `restart` runs again. */
export const RESTART_PAUSE_MS = 5000;
/** How often to look whether the processes have ended that a command left running. */
const LEFTOVER_POLL_MS = 2000;
/** How long to wait for the rest of a command's output after its last process ended. */
const OUTPUT_WAIT_MS = 200;

export type CommandOptions = {
	/** The command as it is configured; see {@link commandArguments}. */
	readonly line: string;
	/** Variables for the command, besides those of this process. */
	readonly env: Environment;
	/** Run again {@link RESTART_PAUSE_MS} after it exits, until it is closed. */
	readonly restart: boolean;
	readonly clock: Clock;
	readonly log: Logger;
	/** What the log calls it: the configuration's key. */
	readonly name: string;
};

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/**
 * A command that runs without a shell, in a process group of its own, with closed standard input. Its output goes to
 * the log at debug level. Processes that outlive the program belong to the command as long as they stay in its group.
 */
export class Command implements AsyncDisposable {
	/** Resolves when no process of it is left and it will not run again. Never rejects. */
	readonly ended: Promise<void>;
	readonly #options: CommandOptions;
	readonly #log: Logger;
	readonly #closing = new AbortController();

	private constructor(options: CommandOptions) {
		this.#options = options;
		this.#log = options.log.child({ hook: options.name });
		this.ended = this.#run();
	}

	/** Starts a command. One that cannot be started is a line in the log, and ends at once. Never throws. */
	static start(options: CommandOptions): Command {
		return new Command(options);
	}

	/**
	 * Sends SIGINT to each process of the command, and SIGKILL to what is left after 5 s. Resolves when they have ended,
	 * after 6 s at most.
	 */
	async close(): Promise<void> {
		this.#closing.abort();
		await this.ended;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	async #run(): Promise<void> {
		const { line, env, restart, clock, name } = this.#options;
		let words: string[];
		try {
			words = commandArguments(line, env, process.env);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			this.#log.error({ code: error.code }, `${name} was not run: ${error.message}`);
			return;
		}
		for (;;) {
			await this.#runOnce(words);
			if (!restart || this.#closing.signal.aborted) return;
			try {
				await clock.sleep(RESTART_PAUSE_MS, this.#closing.signal);
			} catch {
				return; // Closed during the pause.
			}
		}
	}

	async #runOnce(words: readonly string[]): Promise<void> {
		const { env, name, restart, clock } = this.#options;
		const [program = "", ...rest] = words;
		let child: ChildProcess;
		try {
			child = spawn(program, rest, {
				env: { ...process.env, ...env },
				stdio: ["ignore", "pipe", "pipe"],
				shell: false,
				detached: true,
				windowsHide: true,
			});
		} catch (error) {
			// Arguments the system refuses, such as too long ones.
			this.#logNotStarted(program, error);
			return;
		}
		const exit = new Promise<Exit | null>((resolve) => {
			child.once("exit", (code, signal) => resolve({ code, signal }));
			child.on("error", (error) => {
				if (child.pid === undefined) this.#logNotStarted(program, error);
				resolve(null);
			});
		});
		const group = child.pid;
		if (group === undefined) {
			await exit;
			return;
		}
		this.#log.debug(`${name} started ${program} as process ${group}`);
		this.#logOutput(child);
		const output = new Promise<void>((resolve) => child.once("close", () => resolve()));
		const first = await unlessAborted(exit, this.#closing.signal);
		if (first !== undefined) {
			this.#logExit(first, false);
			if (!restart) await this.#leftoversEnd(group);
		}
		// What a program leaves would add up if it stayed when the program runs again.
		if (first === undefined || restart || this.#closing.signal.aborted) await this.#end(group, clock);
		if (first === undefined) this.#logExit(await Promise.race([exit, null]), true);
		await this.#outputEnds(output);
		child.stdout?.destroy();
		child.stderr?.destroy();
	}

	/** Waits until the group is empty or this is closed. */
	async #leftoversEnd(group: number): Promise<void> {
		const signal = this.#closing.signal;
		while (!signal.aborted && groupExists(group) && !(await hasOnlyZombies(group))) {
			await this.#options.clock.sleep(LEFTOVER_POLL_MS, signal).catch(() => undefined); // Closed: the loop ends.
		}
	}

	/** Waits for what is still in the pipes. A process that left the group may hold them open. */
	async #outputEnds(output: Promise<void>): Promise<void> {
		const { clock } = this.#options;
		const late = Promise.withResolvers<void>();
		using _timer = clock.after(OUTPUT_WAIT_MS, late.resolve);
		await Promise.race([output, late.promise]);
	}

	async #end(group: number, clock: Clock): Promise<void> {
		const result = await endGroup(group, clock);
		const { name } = this.#options;
		if (result === "killed") this.#log.warn(`${name} did not end after SIGINT and was killed`);
		if (result === "left") this.#log.error(`${name} cannot be ended: processes of group ${group} may be left`);
	}

	#logOutput(child: ChildProcess): void {
		for (const stream of [child.stdout, child.stderr]) {
			if (stream === null) continue;
			const lines = new OutputLines(
				() => this.#options.clock.monotonic(),
				(text) => this.#log.debug(text),
			);
			stream.on("data", (bytes: Uint8Array) => lines.push(bytes));
			stream.on("close", () => lines.end());
			stream.on("error", () => {}); // Its end says the same.
		}
	}

	#logExit(exit: Exit | null, asked: boolean): void {
		if (exit === null) return;
		const { name } = this.#options;
		const { code, signal } = exit;
		const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
		if (code === 0 || asked) this.#log.info({ exitCode: code, signal }, `${name} ${how}`);
		else this.#log.warn({ exitCode: code, signal }, `${name} ${how}`);
	}

	#logNotStarted(program: string, error: unknown): void {
		const code = (error as NodeJS.ErrnoException).code;
		const why =
			code === "ENOENT"
				? "it was not found; check its name and PATH"
				: code === "EACCES"
					? "it may not be executed; check its permissions"
					: `the system refused (${code ?? "unknown"})`;
		this.#log.error({ errno: code }, `${this.#options.name} could not start ${program.slice(0, 200)}: ${why}`);
	}
}

/** The value of `promise`, or undefined as soon as `signal` fires. Leaves no listener behind. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
	if (signal.aborted) return undefined;
	const stopped = Promise.withResolvers<undefined>();
	const onAbort = () => stopped.resolve(undefined);
	signal.addEventListener("abort", onAbort, { once: true });
	try {
		return await Promise.race([promise, stopped.promise]);
	} finally {
		signal.removeEventListener("abort", onAbort);
	}
}
