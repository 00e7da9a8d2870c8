import { readFileSync } from "node:fs";

/** `USER_HZ`, which Linux fixes at this for programs: proc(5). */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used, user and system, in seconds; 0 where `/proc` does not tell. */
export function cpuSecondsOf(pid: number | undefined): number {
	if (pid === undefined) return 0;
	try {
		// The name, in parentheses, may have spaces in it. `utime` and `stime` are fields 14 and 15.
		const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
	} catch {
		return 0; // It has just ended, or this is not Linux.
	}
}
