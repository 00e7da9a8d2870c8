/** What a request of the control API makes of the settings. Pure. */

import { modernized } from "#shared/config/deprecated.ts";
import type { Settings } from "#shared/config/settings.ts";
import { InputError } from "#shared/problem.ts";
import { checkSettings, writtenAs } from "../config/check-settings.ts";
import { MAX_FAULTS } from "../config/config-error.ts";
import { withHlsOfPaths } from "../config/global-hls.ts";
import { withoutNulls } from "../config/without-nulls.ts";
import { redacted, withSecretsOf } from "./secrets-in-settings.ts";

type Raw = Readonly<Record<string, unknown>>;

/** A part of a configuration, as a file would say it. */
export type SettingsPatch = {
	readonly global?: Raw;
	readonly pathDefaults?: Raw;
	/** What is said of one path, besides what it says already; or `instead` of that. */
	readonly path?: { readonly name: string; readonly says: Raw; readonly instead: boolean };
};

/** Of objects in objects: the schema has fewer. */
const MAX_DEPTH = 16;
const NOT_GLOBAL = ["pathDefaults", "paths"];

/**
 * The settings with a change. Old names of keys are understood, keys without a value say nothing, and hidden secrets
 * stay what they are.
 * @throws InputError `config.invalid`; its message names each key that is wrong
 */
export function patchedSettings(settings: Settings, patch: SettingsPatch): Settings {
	const { global = {}, pathDefaults = {}, path } = patch;
	const alien = NOT_GLOBAL.find((key) => key in global);
	if (alien !== undefined) throw invalid(`${alien}: is not a global setting; it has endpoints of its own`);
	for (const raw of [global, pathDefaults, path?.says ?? {}]) expectShallow(raw, MAX_DEPTH);
	// What the API shows of a path begins with its name.
	const { name: _name, ...defaults } = pathDefaults;
	const { name: _pathName, ...says } = path?.says ?? {};
	const given = withoutNulls({
		...global,
		...(patch.pathDefaults === undefined ? {} : { pathDefaults: defaults }),
		...(path === undefined ? {} : { paths: { [path.name]: says } }),
	});
	const { value, conflicts, origins } = modernized(given);
	if ("authInternalUsers" in value && !("authInternalUsers" in given)) {
		throw invalid("publishUser, publishPass, publishIPs, readUser, readPass, readIPs: are now in authInternalUsers");
	}
	const moved = withHlsOfPaths(value, origins);
	const next = merged(settings, withoutSwitch(moved.value, given), path);
	const { settings: checked, faults } = checkSettings(
		withSecretsOf(next, settings) as Raw,
		conflicts.map(({ path: at, advice }) => ({ path: at, message: advice })),
		(at) => writtenAs(moved.origins, at),
	);
	if (checked !== null) return checked;
	const told = faults.slice(0, MAX_FAULTS).map(({ key, message }) => `${key}: ${message}`);
	throw invalid(redacted(told).join("; "));
}

/** In a file, `hls: false` switches the functions off, which cannot be done while a node runs. */
function withoutSwitch(value: Raw, given: Raw): Raw {
	if ("functions" in given) return value;
	const { functions: _functions, ...rest } = value;
	return rest;
}

function merged(settings: Settings, change: Raw, path: SettingsPatch["path"]): Raw {
	const { pathDefaults, paths, ...global } = change;
	const own = isMap(paths) && path !== undefined ? paths[path.name] : undefined;
	const before =
		path !== undefined && !path.instead && Object.hasOwn(settings.paths, path.name)
			? withoutUndefined(settings.paths[path.name] ?? {})
			: {};
	return {
		...withoutUndefined(settings),
		...global,
		pathDefaults: { ...settings.pathDefaults, ...(isMap(pathDefaults) ? pathDefaults : {}) },
		paths: {
			...Object.fromEntries(Object.entries(settings.paths).map(([name, entry]) => [name, withoutUndefined(entry)])),
			...(path === undefined ? {} : { [path.name]: { ...before, ...(isMap(own) ? own : {}) } }),
		},
	};
}

function withoutUndefined(value: object): Raw {
	return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}

function expectShallow(value: unknown, depth: number): void {
	if (typeof value !== "object" || value === null) return;
	if (depth === 0) throw invalid(`The body is nested more than ${MAX_DEPTH} deep`);
	for (const inner of Object.values(value)) expectShallow(inner, depth - 1);
}

function invalid(message: string): InputError {
	return new InputError("config.invalid", message);
}

function isMap(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
