import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Clock } from "#shared/clock.ts";

/** What waits for a program that does not read: some seconds of sound. */
export const MAX_QUEUED_BYTES = 512 * 1024;
/** What is kept of what a program says, from its beginning. */
const MAX_STDERR_BYTES = 1024;
/** How long a program may take to end when its input has, before SIGKILL. */
export const GRACE_MS = 1000;

/** How long to wait for the rest of its output when it has ended. */
const OUTPUT_WAIT_MS = 200;

export type FfmpegExit = {
	/** The program is not there, or may not be run. */
	readonly isMissing: boolean;
	/** What happened, for the log. */
	readonly message: string;
};

export type FfmpegProcessOptions = {
	/** Name or path of the program. */
	readonly program: string;
	readonly args: readonly string[];
	readonly clock: Clock;
	/** Bytes of its standard output, cut anywhere. They are the receiver's own. */
	readonly onOutput: (bytes: Uint8Array) => void;
	/** It ended without being asked to. Called at most once, and not after `close` was. */
	readonly onExit: (exit: FfmpegExit) => void;
};

/** One run of a program that takes bytes and gives bytes. No shell is involved. */
export class FfmpegProcess implements AsyncDisposable {
	readonly #options: FfmpegProcessOptions;
	readonly #child: ChildProcessWithoutNullStreams;
	/** Resolves when the process is gone, and all it said was read. */
	readonly #ended = Promise.withResolvers<void>();
	readonly #queue: Uint8Array[] = [];
	#queuedBytes = 0;
	#stderr = "";
	#outputTimer: Disposable | null = null;
	#isOver = false;
	#closing: Promise<void> | null = null;
	/** Chunks that were dropped because the program did not read. */
	dropped = 0;

	/** Starts the program. A failure to start comes by `onExit`, later. `header` comes before all that is written. */
	constructor(options: FfmpegProcessOptions, header: Uint8Array) {
		this.#options = options;
		this.#child = spawn(options.program, options.args, { stdio: "pipe", shell: false, windowsHide: true });
		const { stdin, stdout, stderr } = this.#child;
		stdin.on("error", () => undefined); // The program is gone: its exit tells.
		stdin.on("drain", () => this.#drain());
		stdout.on("data", (bytes: Uint8Array) => {
			if (this.#closing === null) options.onOutput(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
		});
		stderr.setEncoding("latin1");
		stderr.on("data", (text: string) => {
			this.#stderr = (this.#stderr + text).slice(0, MAX_STDERR_BYTES);
		});
		for (const stream of [stdout, stderr]) stream.on("error", () => undefined); // Its end says the same.
		this.#child.once("error", (error: NodeJS.ErrnoException) => {
			if (this.#child.pid !== undefined) return;
			const isMissing = error.code === "ENOENT" || error.code === "EACCES";
			this.#exited({ isMissing, message: `it could not be started (${error.code ?? "unknown"})` });
		});
		this.#child.once("exit", () => {
			// What it started, when it is a script, may hold the pipes open.
			if (this.#closing !== null) this.#endOutput();
			else this.#outputTimer = options.clock.after(OUTPUT_WAIT_MS, () => this.#endOutput());
		});
		this.#child.once("close", (code, signal) => {
			const how = signal === null ? `it exited with code ${code ?? "unknown"}` : `it was ended by ${signal}`;
			const said = this.#stderr.trim().replace(/\s+/g, " ");
			this.#exited({ isMissing: false, message: said === "" ? how : `${how}: ${said}` });
		});
		stdin.write(header);
	}

	/** `undefined` when it could not be started. */
	get pid(): number | undefined {
		return this.#child.pid;
	}

	/** Gives the program bytes. When it does not read, the oldest that wait make room. The bytes must not change. */
	write(bytes: Uint8Array): void {
		if (this.#isOver || this.#closing !== null) return;
		const { stdin } = this.#child;
		if (!stdin.writableNeedDrain && this.#queue.length === 0) {
			stdin.write(bytes);
			return;
		}
		this.#queue.push(bytes);
		this.#queuedBytes += bytes.length;
		while (this.#queuedBytes > MAX_QUEUED_BYTES) {
			this.#queuedBytes -= this.#queue.shift()?.length ?? 0;
			this.dropped++;
		}
	}

	/** Ends the program and resolves when it is gone: its input ends, SIGTERM, and SIGKILL when that does not help. */
	close(): Promise<void> {
		this.#closing ??= this.#end();
		return this.#closing;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	async #end(): Promise<void> {
		this.#queue.length = 0;
		if (!this.#isOver) {
			// A program that waits for input does not see the signal before that ends.
			this.#child.kill("SIGTERM");
			this.#child.stdin.destroy();
			if (this.#outputTimer !== null) this.#endOutput();
			using _timer = this.#options.clock.after(GRACE_MS, () => this.#child.kill("SIGKILL"));
			await this.#ended.promise;
		}
	}

	#endOutput(): void {
		this.#child.stdout.destroy();
		this.#child.stderr.destroy();
	}

	#drain(): void {
		const { stdin } = this.#child;
		while (this.#queue.length > 0 && !stdin.writableNeedDrain) {
			const bytes = this.#queue.shift();
			if (bytes === undefined) return;
			this.#queuedBytes -= bytes.length;
			stdin.write(bytes);
		}
	}

	#exited(exit: FfmpegExit): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.#outputTimer?.[Symbol.dispose]();
		this.#queue.length = 0;
		this.#child.stdin.destroy();
		this.#ended.resolve();
		if (this.#closing === null) this.#options.onExit(exit);
	}
}
