import { execFile } from "node:child_process";

/** Runs a program to its end. @throws Error with what it said, if it failed */
export async function spawnChecked(command: string, args: readonly string[]): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		execFile(command, args, (error, _stdout, stderr) => {
			if (error === null) resolve();
			else reject(new Error(`${command} failed: ${stderr.trim() || error.message}`, { cause: error }));
		});
	});
}
