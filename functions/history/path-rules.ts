/** What a path's document may say together with what the path has around it. */

import type { PathOverrides } from "#shared/config/path-config.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { pathFaults } from "#shared/config/rules.ts";
import type { PathName } from "#shared/path-name.ts";
import type { Deps } from "../deps.ts";
import { invalid } from "../input.ts";

/**
 * Expects that a document, whose settings are right each for itself, breaks no rule across settings. They are told as a
 * configuration file is told them, but for what is wrong without the document as well. `where` is what the settings
 * stand in, such as `body`.
 *
 * @throws InputError `input.invalid`
 */
export function expectRules({ settings }: Deps, path: PathName, document: PathOverrides, where: string): void {
	const around = pathConfigOf(settings, path);
	const known = new Set(pathFaults(path, around, {}).map(idOf));
	const faults = pathFaults(path, around, document).filter((fault) => !known.has(idOf(fault)));
	if (faults.length === 0) return;
	throw invalid(faults.map((fault) => ({ path: [where, ...fault.path.slice(2)].join("."), message: fault.message })));
}

function idOf(fault: { readonly path: readonly string[]; readonly message: string }): string {
	return JSON.stringify([fault.path, fault.message]);
}
