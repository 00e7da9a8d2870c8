#!/usr/bin/env node
// The `sluice` command. Plain JavaScript, so that any Node.js from 20 on can begin; the program itself runs on the
// Node.js that the project installs.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensureInstalled, projectNode } from "./setup.mjs";

ensureInstalled();
const program = new URL("./media-node/cli/sluice.ts", import.meta.url);
if (Number(process.versions.node.split(".")[0]) >= 24) {
	await import(program.href);
} else {
	// The child stops when the channel closes, which it also does when this process is killed.
	const child = spawn(projectNode(), [fileURLToPath(program), ...process.argv.slice(2)], {
		stdio: ["inherit", "inherit", "inherit", "ipc"],
		env: { ...process.env, _SLUICE_LAUNCHER: "1" },
	});
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
	child.on("exit", (code, signal) => {
		process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
	});
}
