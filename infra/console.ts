import path from "node:path";
import { spawnChecked } from "./node/spawn-checked.ts";

/** Where the build of the console is, from the root of the repository. */
export const CONSOLE_BUILD = "functions/console/dist";

/** Builds the console, unless it is built already. */
export function buildConsole(root: string): Promise<void> {
	return spawnChecked(process.execPath, [path.join(root, "setup.mjs")]);
}
