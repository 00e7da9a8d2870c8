/** What is wrong with settings, each fault at its field: the schema's, the rules' across keys, and the server's. */

import { type PathOverrides, pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { pathFaults } from "#shared/config/rules.ts";
import type { Overrides } from "./draft.ts";
import { faultWords } from "./fault-words.ts";

export type FieldFault = {
	/** Within the setting: `["1", "dest"]` of the second `forward`; empty for the setting itself. */
	readonly at: readonly string[];
	readonly message: string;
};

export type Faults = ReadonlyMap<string, readonly FieldFault[]>;

export const NO_FAULTS: Faults = new Map();

/** What the server would refuse, before it is asked. A fault of no setting is under the empty key. */
export function schemaFaults(overrides: Overrides): Faults {
	const { error } = pathOverridesSchema.safeParse(overrides);
	return grouped(
		(error?.issues ?? []).flatMap((issue) => {
			const path = issue.path.map(String);
			if (issue.code === "unrecognized_keys")
				return issue.keys.map((key) => ({ path: [...path, key], message: "is no setting of a path" }));
			return [{ path, message: issue.message }];
		}),
	);
}

/** Settings that are right each, but not together: a node would not do what they say. `effective`: with the defaults. */
export function ruleFaults(path: string, effective: Overrides): Faults {
	const { success, data } = pathConfigSchema.safeParse(effective);
	if (!success) return NO_FAULTS;
	const told = pathFaults(path, data, {} satisfies PathOverrides);
	return grouped(told.map((fault) => ({ path: fault.path.slice(2), message: fault.message })));
}

/** What the server said, as its `errors` name it (`body.forward.0.dest`), or as its message begins with a setting. */
export function problemFaults(
	problem: { readonly message: string; readonly errors: readonly { path: string; message: string }[] } | null,
): Faults {
	if (problem === null) return NO_FAULTS;
	const errors = problem.errors.map(({ path, message }) => ({
		path: path.split(".").slice(/^(?:body|config)(?:\.|$)/.test(path) ? 1 : 0),
		message,
	}));
	const first = /^\w+/.exec(problem.message)?.[0] ?? "";
	if (errors.length === 0 && first in pathConfigSchema.shape)
		return grouped([{ path: [first], message: problem.message.slice(first.length).trim() }]);
	return grouped(errors);
}

/** Those of several sources, without repetitions; within a setting, in order. */
export function mergedFaults(...sources: readonly Faults[]): Faults {
	const all = sources.flatMap((faults) =>
		[...faults].flatMap(([key, list]) => list.map(({ at, message }) => ({ path: [key, ...at], message }))),
	);
	const seen = new Set<string>();
	return grouped(
		all.filter(({ path, message }) => {
			const id = JSON.stringify([path, message]);
			return !seen.has(id) && seen.add(id);
		}),
	);
}

/** The server's faults of settings that have not been changed since it was asked. */
export function stillFaulty(faults: Faults, changedSince: ReadonlySet<string>): Faults {
	return new Map([...faults].filter(([key]) => !changedSince.has(key)));
}

/** The faults of one part of a setting, in a line; `null` when there is none. Below: those of its parts too. */
export function faultText(faults: readonly FieldFault[], at: readonly string[] = [], below = false): string | null {
	const here = faults.filter(
		(fault) => at.every((part, i) => fault.at[i] === part) && (below || fault.at.length === at.length),
	);
	return here.length === 0 ? null : here.map(({ message }) => faultWords(message)).join(". ");
}

function grouped(all: readonly { path: readonly string[]; message: string }[]): Faults {
	const faults = new Map<string, FieldFault[]>();
	for (const { path, message } of all) {
		const [key = "", ...at] = path;
		const list = faults.get(key) ?? [];
		if (list.length === 0) faults.set(key, list);
		list.push({ at, message });
	}
	return faults;
}
