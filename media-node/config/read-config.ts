/** From the text of a configuration to settings that are checked, with all that is wrong or worth a warning. Pure. */

import { z } from "zod";
import { DEPRECATED_KEYS, modernized } from "#shared/config/deprecated.ts";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { faultsOf } from "#shared/config/rules.ts";
import { MEDIAMTX_DEFAULTS, type Settings, settingsSchema } from "#shared/config/settings.ts";
import { withoutCredentials } from "#shared/config/source.ts";
import { type ConfigFault, configError, formatFault, MAX_FAULTS, type Place } from "./config-error.ts";
import { withEnvironment } from "./environment.ts";
import { GLOBAL_HLS_KEYS, withHlsOfPaths } from "./global-hls.ts";
import { closest } from "./suggest.ts";
import { warningsOf } from "./warnings.ts";
import { readConfigText } from "./yaml-text.ts";

/** Keys whose value no message may show. */
const SECRET = /pass|token|secret|credential|authorization/i;

export type ReadOptions = {
	/** The file's name, for messages. */
	readonly file: string;
	readonly environment?: Readonly<Record<string, string | undefined>>;
	/** What is not said has the value that MediaMTX would take. */
	readonly mediamtx?: boolean;
};

export type ReadConfig = {
	readonly settings: Settings;
	/** A line each: deprecated keys, parts that are not built, weak passwords, doors that stand open. */
	readonly warnings: readonly string[];
};

type Raw = Record<string, unknown>;

/**
 * Reads a configuration.
 * @throws InputError `config.invalid` with every fault, its place and key
 */
export function readConfig(text: string, { file, environment = {}, mediamtx = false }: ReadOptions): ReadConfig {
	const read = readConfigText(text, file, environment);
	const given = withEnvironment(withoutNulls(read.value), environment, extraKeys());
	const modern = modernized(given.value);
	const moved = withHlsOfPaths(modern.value, modern.origins);

	const originOf = (path: readonly PropertyKey[]): readonly PropertyKey[] => {
		for (let length = path.length; length > 0; length--) {
			const origin = moved.origins.get(path.slice(0, length).join("\n"));
			if (origin !== undefined) return [...origin, ...path.slice(length)];
		}
		return path;
	};
	const placeOf = (path: readonly PropertyKey[]): Place => {
		const origin = originOf(path);
		for (let length = origin.length; length > 0; length--) {
			const variable = given.variables.get(origin.slice(0, length).join("\n"));
			if (variable !== undefined) return { variable };
		}
		return read.placeOf(origin);
	};

	const value = mediamtx ? withMediamtxDefaults(moved.value) : moved.value;
	const result = settingsSchema.safeParse(value, { reportInput: true });
	if (!result.success) {
		const told = Iterator.from(result.error.issues).flatMap((issue) => describe(issue, originOf, placeOf));
		throw configError(file, told.take(MAX_FAULTS + 1).toArray());
	}
	const conflicts = modern.conflicts.map(({ path, advice }) => ({ path, message: advice }));
	const faults = [...conflicts, ...faultsOf(result.data)].map(({ path, message }) => ({
		place: placeOf(path),
		key: path.join("."),
		message,
	}));
	if (faults.length > 0) throw configError(file, faults);

	const warning = (path: readonly string[], message: string) =>
		formatFault(file, { place: placeOf(path), key: path.join("."), message });
	return {
		settings: result.data,
		warnings: [
			...modern.deprecations.map(({ path, advice }) => warning(path, advice)),
			...given.unknown.map((variable) => `${variable}: is not a setting that the environment can have`),
			...warningsOf(result.data, moved.value, warning),
		],
	};
}

/** A key without a value says nothing, as in MediaMTX; but a path without one is a path. */
function withoutNulls(raw: Readonly<Raw>): Raw {
	const paths = raw["paths"];
	const top = prune(raw) as Raw;
	if (isMap(paths)) {
		top["paths"] = Object.fromEntries(Object.entries(paths).map(([name, entry]) => [name, prune(entry ?? {})]));
	}
	return top;
}

function prune(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(prune);
	if (!isMap(value)) return value;
	const entries = Object.entries(value).filter(([, inner]) => inner !== null);
	return Object.fromEntries(entries.map(([key, inner]) => [key, prune(inner)]));
}

function withMediamtxDefaults(raw: Raw): Raw {
	const { hlsSegmentCount, hlsSegmentDuration, ...global } = MEDIAMTX_DEFAULTS;
	const defaults = isMap(raw["pathDefaults"]) ? raw["pathDefaults"] : {};
	return { ...global, ...raw, pathDefaults: { hlsSegmentCount, hlsSegmentDuration, ...defaults } };
}

function isMap(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys that the environment may set though the schema does not have them there. */
function extraKeys() {
	const like = (key: string): z.ZodType => {
		const { shape } = pathConfigSchema;
		if (key in shape) return shape[key as keyof typeof shape];
		if (/Disable$|^runOnReadyRestart$|^authJWTIn|AnyPortEnable$|^disable|^playback$/.test(key)) return z.boolean();
		if (/BufferSize$|BufferCount$/.test(key)) return z.number();
		return /^(?:protocols|authMethods|webrtcICEServers|webrtcICEHostNAT1To1IPs|publishIPs|readIPs)$/.test(key)
			? z.array(z.string())
			: z.string();
	};
	const shapeOf = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, like(key)]));
	return {
		global: shapeOf([...GLOBAL_HLS_KEYS, ...DEPRECATED_KEYS.global]),
		path: shapeOf(DEPRECATED_KEYS.path),
	};
}

/** One after the other, as they are asked for: to find a place and a suggestion takes a while. */
function* describe(
	issue: z.core.$ZodIssue,
	originOf: (path: readonly PropertyKey[]) => readonly PropertyKey[],
	placeOf: (path: readonly PropertyKey[]) => Place,
): Generator<ConfigFault> {
	if (issue.code === "unrecognized_keys") {
		for (const key of issue.keys) {
			const path = [...issue.path, key];
			const meant = closest(key, knownKeys(issue.path));
			const hint = meant === null ? "" : `; did you mean ${meant}?`;
			yield { place: placeOf(path), key: path.join("."), message: `is not a setting${hint}` };
		}
		return;
	}
	const key = originOf(issue.path).join(".");
	yield { place: placeOf(issue.path), key, message: `${messageOf(issue)}${givenOf(issue)}` };
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
