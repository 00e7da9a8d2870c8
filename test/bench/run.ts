/** `npm run bench`: every bench in a process of its own, one after the other. Fails if one misses its goal. */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";

const wanted = process.argv.slice(2);
let failed = 0;
for (const file of readdirSync(import.meta.dirname)
	.filter((name) => name.endsWith(".bench.ts"))
	.sort()) {
	if (wanted.length > 0 && !wanted.includes(file.replace(".bench.ts", ""))) continue;
	console.log(`\n${file.replace(".bench.ts", "")}`);
	const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, file)], { stdio: "inherit" });
	if (status !== 0) failed++;
}
if (failed > 0) {
	console.error(`\n${failed} missed`);
	process.exitCode = 1;
}
