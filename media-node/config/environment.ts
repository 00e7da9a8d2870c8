/** Settings in the environment, by MediaMTX's rules: `MTX_RTSPADDRESS`, `MTX_PATHS_CAM1_SOURCE`, `MTX_AUTHINTERNALUSERS_0_USER`. */

import * as z from "zod";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { settingsSchema } from "#shared/config/settings.ts";

type Raw = Record<string, unknown>;
type Shape = Readonly<Record<string, z.ZodType>>;

/** Later ones go before earlier ones. */
const PREFIXES = ["RTSP_", "MTX_", "SLUICE_"] as const;
/** What hooks get, what says how to read the file, and what the functions alone are told. */
const OTHERS =
	/^(?:WAKE_URL|WAKE_SECRET|NODE_BUCKET|PRICES|NODE_ACCESS_KEY_ID|NODE_SECRET_ACCESS_KEY|PATH|QUERY|SOURCE_TYPE|SOURCE_ID|READER_TYPE|READER_ID|CONN_TYPE|CONN_ID|SEGMENT_\w+|PORT|CONFKEY)$/;

export type EnvironmentOverrides = {
	readonly value: Raw;
	/** By the place of a key, its steps joined by `\n`: the variable that set it. */
	readonly variables: ReadonlyMap<string, string>;
	/** Variables that look like settings, and are none. */
	readonly unknown: readonly string[];
};

/** Lays what the environment says over a configuration as it was read. `extra`: keys besides those of the schema. */
export function withEnvironment(
	raw: Readonly<Raw>,
	environment: Readonly<Record<string, string | undefined>>,
	extra: { readonly global: Shape; readonly path: Shape },
): EnvironmentOverrides {
	const value = structuredClone(raw) as Raw;
	const variables = new Map<string, string>();
	const unknown: string[] = [];
	const global = { ...settingsSchema.shape, ...extra.global };
	const path = { ...pathConfigSchema.shape, ...extra.path };
	for (const prefix of PREFIXES) {
		for (const name of Object.keys(environment).sort()) {
			const text = environment[name];
			if (!name.startsWith(prefix) || text === undefined) continue;
			const rest = name.slice(prefix.length);
			if (OTHERS.test(rest)) continue;
			const steps = placeOf(rest, global, path);
			if (steps === null) {
				if (prefix !== "RTSP_") unknown.push(name);
				continue;
			}
			put(value, steps.path, parsed(text, steps.schema));
			variables.set(steps.path.join("\n"), name);
		}
	}
	return { value, variables, unknown };
}

type Found = { readonly path: readonly string[]; readonly schema: z.ZodType };

/** Which key a variable means. */
function placeOf(rest: string, global: Shape, path: Shape): Found | null {
	const inDefaults = /^PATHDEFAULTS_(.+)$/.exec(rest);
	if (inDefaults !== null) return within(["pathDefaults"], inDefaults[1] ?? "", path);
	// A name of a path stands between two underscores, in capitals: other names cannot be told.
	const inPath = /^PATHS_([^_]+)(?:_(.+))?$/.exec(rest);
	if (inPath !== null) {
		const at = ["paths", (inPath[1] ?? "").toLowerCase()];
		return inPath[2] === undefined ? null : within(at, inPath[2], path);
	}
	return within([], rest, global);
}

function within(at: readonly string[], rest: string, shape: Shape): Found | null {
	for (const [key, schema] of Object.entries(shape)) {
		const upper = key.toUpperCase();
		if (rest === upper) return { path: [...at, key], schema };
		const inner = new RegExp(`^${upper}_(\\d{1,3})(?:_(.+))?$`).exec(rest);
		const item = inner === null ? null : itemOf(schema);
		if (inner === null || item === null) continue;
		const place = [...at, key, inner[1] ?? ""];
		if (inner[2] === undefined) return { path: place, schema: item };
		const fields = fieldsOf(item);
		if (fields !== null) return within(place, inner[2], fields);
	}
	return null;
}

/** The schema behind defaults, conversions and the like. */
function bare(schema: z.ZodType): z.ZodType {
	if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
		return bare(schema.unwrap() as z.ZodType);
	}
	return schema instanceof z.ZodPipe ? bare(schema.out as z.ZodType) : schema;
}

function itemOf(schema: z.ZodType): z.ZodType | null {
	const list = bare(schema);
	return list instanceof z.ZodArray ? (list.element as z.ZodType) : null;
}

function fieldsOf(schema: z.ZodType): Shape | null {
	const object = bare(schema);
	return object instanceof z.ZodObject ? (object.shape as Shape) : null;
}

/** A value of the type that the key has, or the text as it is: the schema will say what is wrong with it. */
function parsed(text: string, schema: z.ZodType): unknown {
	const type = bare(schema);
	if (type instanceof z.ZodBoolean) {
		return { yes: true, true: true, no: false, false: false }[text.toLowerCase()] ?? text;
	}
	if (type instanceof z.ZodNumber) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
	if (type instanceof z.ZodArray) {
		return text === "" ? [] : text.split(",").map((part) => parsed(part.trim(), type.element as z.ZodType));
	}
	return text;
}

function put(root: Raw, path: readonly string[], value: unknown): void {
	let at: Raw | unknown[] = root;
	path.forEach((step, i) => {
		const isLast = i === path.length - 1;
		const container = at as Raw;
		if (isLast) container[step] = value;
		else {
			const next = container[step];
			const made = typeof next === "object" && next !== null ? next : /^\d+$/.test(path[i + 1] ?? "") ? [] : {};
			container[step] = made;
			at = made as Raw;
		}
	});
}
