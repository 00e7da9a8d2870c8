import { readdir, readFile } from "node:fs/promises";
import type { Clock } from "#shared/clock.ts";

/** How long a group may take to end after SIGINT, before SIGKILL. */
export const GRACE_MS = 5000;
/** How long to wait for a group after SIGKILL. */
export const KILL_WAIT_MS = 1000;
const POLL_MS = 20;
/** How often to look for zombies, which costs more. */
const ZOMBIE_POLL_MS = 200;

/** Says whether a process of the group is left. */
export function groupExists(id: number): boolean {
	return signalGroup(id, 0);
}

/** Sends `signal` to each process of the group, and says whether the group exists. */
export function signalGroup(id: number, signal: NodeJS.Signals | 0): boolean {
	try {
		process.kill(-id, signal);
		return true;
	} catch (error) {
		// EPERM: it exists, but belongs to another user, as a command of sudo does.
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

/** Ends each process of the group: SIGINT, then SIGKILL after {@link GRACE_MS}. Tells how it went. */
export async function endGroup(id: number, clock: Clock): Promise<"ended" | "killed" | "left"> {
	if (!signalGroup(id, "SIGINT")) return "ended";
	if (await isGone(id, clock, GRACE_MS)) return "ended";
	signalGroup(id, "SIGKILL");
	return (await isGone(id, clock, KILL_WAIT_MS)) ? "killed" : "left";
}

async function isGone(id: number, clock: Clock, boundMs: number): Promise<boolean> {
	const from = clock.monotonic();
	let lookAt = from + ZOMBIE_POLL_MS;
	while (clock.monotonic() - from < boundMs) {
		await clock.sleep(POLL_MS);
		if (!groupExists(id)) return true;
		if (clock.monotonic() < lookAt) continue;
		if (await hasOnlyZombies(id)) return true;
		lookAt = clock.monotonic() + ZOMBIE_POLL_MS;
	}
	return false;
}

/**
 * Says whether each process of an existing group is dead and only waits for its parent to collect it. In a container
 * whose first process is not an init, orphans stay like that for ever. False where there is no Linux `/proc`.
 */
export async function hasOnlyZombies(id: number): Promise<boolean> {
	let zombies = 0;
	const names = await readdir("/proc").catch((): string[] => []); // No /proc.
	for (const name of names) {
		if (!/^[0-9]+$/.test(name)) continue;
		const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => ""); // The process has gone meanwhile.
		// proc_pid_stat(5): pid (comm) state ppid pgrp …, and comm may contain anything.
		const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		if (Number(group) !== id) continue;
		if (state !== "Z" && state !== "X") return false;
		zombies++;
	}
	return zombies > 0;
}
