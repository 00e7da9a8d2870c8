/** Names of new paths. */

import { isPattern, pathEntryNameFault } from "#shared/config/path-pattern.ts";
import { isPathName } from "#shared/path-name.ts";

/** Why a path cannot be made under `name`, as a sentence; `null` when it can. `known`: those there are. */
export function newPathFault(name: string, known: ReadonlySet<string>): string | null {
	if (name === "") return "Give it a name";
	if (known.has(name)) return "There is a path with this name already";
	// A node takes no document for them, also where their spelling is one of a name.
	if (isPattern(name)) {
		const fault = pathEntryNameFault(name);
		if (fault !== null) return `The name ${fault}`;
		return "Entries for many paths stand in the configuration file, under paths:. Here, a path has a name of its own.";
	}
	if (isPathName(name)) return null;
	return "A name has letters, digits, _ - . and /, no slash at either end, and no empty, . or .. part";
}
