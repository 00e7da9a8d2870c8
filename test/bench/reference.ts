/** The limit programs in C, compiled when a bench runs and thrown away after it. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

/** A program of `reference/` that runs. */
export class ReferenceProgram implements AsyncDisposable {
	readonly port: number;
	readonly #child: ChildProcess;
	readonly #lines: AsyncIterator<string>;

	private constructor(port: number, child: ChildProcess, lines: AsyncIterator<string>) {
		this.port = port;
		this.#child = child;
		this.#lines = lines;
	}

	static async open(executable: string, args: readonly string[]): Promise<ReferenceProgram> {
		const child = spawn(executable, args, { stdio: ["pipe", "pipe", "inherit"] });
		const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
		return new ReferenceProgram(Number((await lines.next()).value), child, lines);
	}

	/** CPU seconds up to now. */
	async cpuSeconds(): Promise<number> {
		this.#child.stdin?.write("\n");
		return Number((await this.#lines.next()).value);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const gone = once(this.#child, "exit");
		this.#child.stdin?.end();
		await gone;
	}
}

/** An executable in a folder that is removed on disposal; `null` when there is no C compiler, which it says. */
export function compile(name: string): ({ readonly executable: string } & Disposable) | null {
	const folder = mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
	const executable = path.join(folder, name);
	const source = path.join(import.meta.dirname, "reference", `${name}.c`);
	const { status, error } = spawnSync("cc", ["-O2", "-D_GNU_SOURCE", "-o", executable, source], { stdio: "inherit" });
	if (status !== 0) {
		rmSync(folder, { recursive: true });
		console.log(`  no figures of the limit program: ${error === undefined ? "it does not compile" : "there is no cc"}`);
		return null;
	}
	return { executable, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
