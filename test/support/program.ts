import { type ChildProcess, spawn } from "node:child_process";
import { eventually } from "./eventually.ts";

export type ProgramOptions = {
	readonly cwd?: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly input?: Uint8Array;
};

/** A child process of a test, with its output kept for the message of a failure. */
export class Program implements AsyncDisposable {
	readonly child: ChildProcess;
	readonly #name: string;
	readonly #out: Buffer[] = [];
	readonly #err: Buffer[] = [];
	readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

	constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
		this.#name = command;
		this.child = spawn(command, args, {
			cwd: options.cwd,
			env: { ...process.env, ...options.env },
			stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
		});
		this.child.stdout?.on("data", (chunk: Buffer) => this.#out.push(chunk));
		this.child.stderr?.on("data", (chunk: Buffer) => this.#err.push(chunk));
		this.exited = new Promise((resolve, reject) => {
			this.child.once("error", reject);
			this.child.once("close", (code, signal) => resolve({ code, signal }));
		});
		this.exited.catch(() => undefined);
		if (options.input !== undefined) this.child.stdin?.end(options.input);
	}

	get output(): Buffer {
		return Buffer.concat(this.#out);
	}

	get errors(): string {
		return Buffer.concat(this.#err).toString();
	}

	get running(): boolean {
		return this.child.exitCode === null && this.child.signalCode === null;
	}

	/** Waits for the end, and throws with what the program said unless it ended well. */
	async succeed(timeoutMs = 60_000): Promise<Buffer> {
		const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
		try {
			const { code, signal } = await this.exited;
			if (code !== 0) throw new Error(`${this.#name} ended with ${code ?? signal}:\n${this.tail}`);
			return this.output;
		} finally {
			clearTimeout(timer);
		}
	}

	/** Waits until the program has said `text`. */
	async says(text: string | RegExp, timeoutMs = 30_000): Promise<string> {
		return eventually(
			`${this.#name} says ${text}`,
			() => {
				const said = this.output.toString() + this.errors;
				if (typeof text === "string" ? said.includes(text) : text.test(said)) return said;
				if (!this.running) throw new Error(`${this.#name} ended with ${this.child.exitCode}:\n${this.tail}`);
				return false;
			},
			{ timeoutMs },
		);
	}

	get tail(): string {
		return (this.output.toString() + this.errors).slice(-4000);
	}

	/** Ends the program, and waits until it is gone. */
	async stop(signal: NodeJS.Signals = "SIGTERM", timeoutMs = 10_000): Promise<void> {
		if (!this.running) return;
		this.child.kill(signal);
		const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
		await this.exited.catch(() => undefined);
		clearTimeout(timer);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop("SIGKILL");
	}
}

/** Runs a program to its end; its standard output. */
export function run(command: string, args: readonly string[], timeoutMs?: number): Promise<Buffer> {
	return new Program(command, args).succeed(timeoutMs);
}
