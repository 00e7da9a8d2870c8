/** What a path's document may say: each setting for itself, and together with what the path has around it. */

import { type PathOverrides, pathOverridesSchema } from "#shared/config/path-config.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { pathFaults } from "#shared/config/rules.ts";
import type { PathName } from "#shared/path-name.ts";
import type { Deps } from "../deps.ts";
import { check, invalid } from "../input.ts";

/**
 * Reads a document. `where` is what its settings stand in, such as `body`. Rules across settings are told as a
 * configuration file is told them, but for what is wrong without the document as well.
 *
 * @throws InputError `input.invalid`
 */
export function checkDocument({ settings }: Deps, path: PathName, value: unknown, where: string): PathOverrides {
	const document = check(pathOverridesSchema, value, where);
	const around = pathConfigOf(settings, path);
	const known = new Set(pathFaults(path, around, {}).map(idOf));
	const faults = pathFaults(path, around, document).filter((fault) => !known.has(idOf(fault)));
	if (faults.length === 0) return document;
	throw invalid(faults.map((fault) => ({ path: [where, ...fault.path.slice(2)].join("."), message: fault.message })));
}

function idOf(fault: { readonly path: readonly string[]; readonly message: string }): string {
	return JSON.stringify([fault.path, fault.message]);
}
