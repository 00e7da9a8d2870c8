import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";

const MAX_NAME = 64;

/**
 * The name and number of the process that listens on a local port, such as `mediamtx (pid 412)`. `null` where the
 * system does not tell: it needs Linux's /proc, and the right to look into that process.
 */
export async function portOwner(port: number, transport: "tcp" | "udp"): Promise<string | null> {
	try {
		const inodes = new Set([...(await inodesOf(port, transport)), ...(await inodesOf(port, `${transport}6`))]);
		if (inodes.size === 0) return null;
		for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
			if (await holds(pid, inodes)) return `${await nameOf(pid)} (pid ${pid})`;
		}
	} catch {
		// No /proc here, or not ours to read: the message does without the name.
	}
	return null;
}

/** The program of a process, as it was called: `comm` may be the name of a thread. */
async function nameOf(pid: string): Promise<string> {
	const [program = ""] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0", 1);
	// A process may write there what it likes, such as `nginx: master process`.
	const name = path.basename(program.replace(/^([\w.-]+): .*$/s, "$1"));
	return name === "" ? (await readFile(`/proc/${pid}/comm`, "utf8")).trim() : name.slice(0, MAX_NAME);
}

/** The inodes of the sockets that are bound to `port`, from a table such as /proc/net/tcp. */
async function inodesOf(port: number, table: string): Promise<string[]> {
	const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
	const listening = table.startsWith("tcp") ? "0A" : "07";
	return (await readFile(`/proc/net/${table}`, "utf8"))
		.split("\n")
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((columns) => columns[1]?.endsWith(wanted) === true && columns[3] === listening)
		.map((columns) => columns[9] ?? "");
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
	let descriptors: string[];
	try {
		descriptors = await readdir(`/proc/${pid}/fd`);
	} catch {
		// It ended meanwhile, or belongs to another user.
		return false;
	}
	for (const descriptor of descriptors) {
		const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
		const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
		if (inode !== undefined && inodes.has(inode)) return true;
	}
	return false;
}
