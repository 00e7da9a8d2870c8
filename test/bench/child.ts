/** The processes of a bench: a server's CPU time and memory are its own only in a process of its own. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** Starts a file of this folder, with what Node.js is told before it, and what it is told itself. */
export function start(file: string, execArgv: readonly string[] = [], args: readonly string[] = []): ChildProcess {
	return fork(path.join(import.meta.dirname, file), [...args], { execArgv: [...execArgv] });
}

/** The next message of a child; fails when it ends instead. */
export async function heard<T>(child: ChildProcess): Promise<T> {
	const listening = new AbortController();
	const { signal } = listening;
	try {
		const gone = once(child, "exit", { signal }).then(([code]) => {
			throw new Error(`A process of the bench ended with ${code}`);
		});
		const [message] = await Promise.race([once(child, "message", { signal }), gone]);
		return message as T;
	} finally {
		listening.abort();
	}
}

/** Sends a message, and waits for the answer. */
export function ask<T>(child: ChildProcess, message: object): Promise<T> {
	const answer = heard<T>(child);
	child.send(message);
	return answer;
}

/** Ends children, which exit when their parent lets go of them. */
export async function stop(...children: readonly ChildProcess[]): Promise<void> {
	for (const child of children) {
		if (child.exitCode !== null || !child.connected) continue;
		const gone = once(child, "exit");
		child.disconnect();
		await gone;
	}
}

export function wait(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/** CPU time of this process, user and system, in seconds. */
export function cpuSeconds(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}
