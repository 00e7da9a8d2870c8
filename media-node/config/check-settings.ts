/** A configuration in today's names, against the schema and the rules across keys: for files and for the API. Pure. */

import type { z } from "zod";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { faultsOf } from "#shared/config/rules.ts";
import { type Settings, settingsSchema } from "#shared/config/settings.ts";
import { withoutCredentials } from "#shared/config/source.ts";
import { closest } from "#shared/config/suggest.ts";
import { MAX_FAULTS } from "./config-error.ts";
import { GLOBAL_HLS_KEYS } from "./global-hls.ts";

/** Keys whose value no message may show. */
const SECRET = /pass|token|secret|credential|authorization/i;

type KeyPath = readonly PropertyKey[];

/** Under which name a key was written, by the origins of old names. */
export function writtenAs(origins: ReadonlyMap<string, readonly string[]>, path: KeyPath): KeyPath {
	for (let length = path.length; length > 0; length--) {
		const origin = origins.get(path.slice(0, length).join("\n"));
		if (origin !== undefined) return [...origin, ...path.slice(length)];
	}
	return path;
}

export type SettingsFault = {
	/** Where, from the top, in today's names. */
	readonly path: KeyPath;
	/** As who wrote it knows it, such as `paths.cam01.maxReaders`. */
	readonly key: string;
	/** A sentence without its subject, which is the key. */
	readonly message: string;
};

export type CheckedSettings =
	| { readonly settings: Settings; readonly faults: readonly [] }
	| { readonly settings: null; readonly faults: readonly SettingsFault[] };

/**
 * Checks a configuration, and fills in what it leaves out; one fault more than anybody is told is the last that is
 * looked for. `conflicts` are faults that are known already; `originOf`
 * tells under which name a key was written.
 */
export function checkSettings(
	value: Readonly<Record<string, unknown>>,
	conflicts: readonly { readonly path: readonly string[]; readonly message: string }[] = [],
	originOf: (path: KeyPath) => KeyPath = (path) => path,
): CheckedSettings {
	const result = settingsSchema.safeParse(value, { reportInput: true });
	if (!result.success) {
		const told = Iterator.from(result.error.issues).flatMap((issue) => describe(issue, originOf));
		return { settings: null, faults: told.take(MAX_FAULTS + 1).toArray() };
	}
	const faults = [...conflicts, ...faultsOf(result.data)].map(({ path, message }) => ({
		path,
		key: path.join("."),
		message,
	}));
	return faults.length === 0 ? { settings: result.data, faults: [] } : { settings: null, faults };
}

/** One after the other, as they are asked for: to find a suggestion takes a while. */
function* describe(issue: z.core.$ZodIssue, originOf: (path: KeyPath) => KeyPath): Generator<SettingsFault> {
	if (issue.code === "unrecognized_keys") {
		for (const key of issue.keys) {
			const path = [...issue.path, key];
			const meant = closest(key, knownKeys(issue.path));
			const hint = meant === null ? "" : `; did you mean ${meant}?`;
			yield { path, key: path.join("."), message: `is not a setting${hint}` };
		}
		return;
	}
	const key = originOf(issue.path).join(".");
	yield { path: issue.path, key, message: `${messageOf(issue)}${givenOf(issue)}` };
}

/** A record hides why a key is bad, and a union what each of its members says. */
function messageOf(issue: z.core.$ZodIssue): string {
	if (issue.code === "invalid_key") return issue.issues.map((inner) => inner.message).join("; ");
	if (issue.code === "invalid_union" && issue.message === "Invalid input") {
		const inner = issue.errors.flat();
		const told = inner.find(({ code }) => code === "custom") ?? inner[0];
		return told?.message ?? issue.message;
	}
	return issue.message;
}

function givenOf(issue: z.core.$ZodIssue): string {
	const secret = issue.path.some((step) => SECRET.test(String(step)));
	if (!("input" in issue) || !isPlain(issue.input) || secret) return "";
	const given = typeof issue.input === "string" ? withoutCredentials(issue.input) : issue.input;
	return ` (is ${JSON.stringify(given)})`;
}

function isPlain(value: unknown): value is string | number | boolean | null {
	return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** The keys that may stand where `path` leads. */
function knownKeys(path: readonly PropertyKey[]): string[] {
	if (path.length === 0) return [...Object.keys(settingsSchema.shape), ...GLOBAL_HLS_KEYS];
	if (path[0] === "pathDefaults" || path[0] === "paths") return Object.keys(pathConfigSchema.shape);
	return [];
}
