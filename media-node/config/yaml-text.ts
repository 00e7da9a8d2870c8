/** The text of a configuration file: YAML, and so JSON, as MediaMTX reads it. Pure. */

import {
	type Document,
	isMap,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	type Pair,
	parseDocument,
	Scalar,
	visit,
} from "yaml";
import { type ConfigFault, configError, type Place } from "./config-error.ts";

/** A configuration file of a person; nobody needs more. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Aliases may repeat a part of the file, but not blow it up. */
const MAX_ALIAS_COUNT = 1000;

export type ConfigText = {
	readonly value: Readonly<Record<string, unknown>>;
	/** Where the key that `path` leads to is, or the deepest part of it that the file has. */
	readonly placeOf: (path: readonly PropertyKey[]) => Place;
};

/** The booleans of YAML 1.1 that people still write. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
	...["yes", "Yes", "YES", "on", "On", "ON"].map((word) => [word, true] as const),
	...["no", "No", "NO", "off", "Off", "OFF"].map((word) => [word, false] as const),
]);

/** `${NAME}` or `${NAME:default}`. */
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}/g;
/** Variables that a hook's command or a source gets when it is run. */
const LATE_VARIABLE = /^(?:MTX_\w+|RTSP_PORT|RTSP_PATH|G\d+)$/;

/**
 * Reads a configuration file. `file` is its name for messages, `environment` what `${NAME}` stands for.
 * @throws InputError `config.invalid`
 */
export function readConfigText(
	text: string,
	file: string,
	environment: Readonly<Record<string, string | undefined>>,
): ConfigText {
	const top = (message: string): ConfigFault => ({ place: { line: 1, column: 1 }, key: "", message });
	if (text.length > MAX_CONFIG_BYTES) throw configError(file, [top(`is larger than ${MAX_CONFIG_BYTES} bytes`)]);
	const lines = new LineCounter();
	// Whether keys stand twice is told below: the library compares each with each.
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: false });
	if (document.errors.length > 0) {
		throw configError(
			file,
			document.errors.map((error) => ({ place: placeAt(lines, error.pos[0]), key: "", message: error.message })),
		);
	}
	const faults = resolveScalars(document, lines, environment);
	if (faults.length > 0) throw configError(file, faults);
	let value: unknown;
	try {
		value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) ?? {};
	} catch (cause) {
		throw configError(file, [top(cause instanceof Error ? cause.message : String(cause))]);
	}
	if (typeof value !== "object" || value === null || Array.isArray(value)) {
		throw configError(file, [top("is not a list of settings: each line must be `key: value`")]);
	}
	return {
		value: value as Record<string, unknown>,
		placeOf: (path) => locate(document.contents as Node | null, path, lines),
	};
}

/** Puts variables in, and makes the booleans of old booleans. */
function resolveScalars(
	document: Document.Parsed,
	lines: LineCounter,
	environment: Readonly<Record<string, string | undefined>>,
): ConfigFault[] {
	const faults: ConfigFault[] = [];
	visit(document, {
		Map(_, node) {
			const names = new Set<string>();
			for (const { key } of node.items) {
				if (!isScalar(key)) continue;
				const name = String(key.value);
				if (names.has(name)) {
					const message = `must be unique: ${JSON.stringify(name)} stands here a second time`;
					faults.push({ place: placeAt(lines, key.range?.[0] ?? 0), key: name, message });
				}
				names.add(name);
			}
		},
		Scalar(role, node, ancestors) {
			if (role === "key" || typeof node.value !== "string") return;
			const text = node.value;
			const isPlain = node.type === Scalar.PLAIN;
			const key = keyOf(ancestors.at(-1));
			const replaced = text.replaceAll(VARIABLE, (whole, name: string, otherwise: string | undefined) => {
				const value = environment[name] ?? otherwise;
				if (LATE_VARIABLE.test(name) && value === otherwise) return whole;
				if (value === undefined && key.startsWith("runOn")) return whole;
				if (value === undefined) {
					const message = `the environment variable ${name} is not set; set it, or write \${${name}:default}`;
					faults.push({ place: placeAt(lines, node.range?.[0] ?? 0), key, message });
				}
				return value ?? "";
			});
			if (replaced !== text) node.value = isPlain ? plainValue(replaced) : replaced;
			if (isPlain && typeof node.value === "string") node.value = BOOLEANS.get(node.value) ?? node.value;
		},
	});
	return faults;
}

/**
 * What an unquoted value is that variables were put into: a number, a boolean, a list, or else text. Nobody quotes what
 * comes from outside: a password may begin as an alias, an anchor, a tag or a comment does.
 */
function plainValue(text: string): unknown {
	if (text.trim() === "") return null;
	const { contents, errors } = parseDocument(text, { prettyErrors: false });
	if (errors.length > 0) return text;
	if (isScalar(contents)) return contents.source === text ? contents.value : text;
	if (!isSeq(contents) || !contents.flow) return text;
	let isSimple = true;
	visit(contents, {
		Alias: () => {
			isSimple = false;
		},
	});
	return isSimple ? contents.toJSON() : text;
}

function keyOf(parent: unknown): string {
	const key = (parent as Partial<Pair> | undefined)?.key;
	return isScalar(key) ? String(key.value) : "";
}

function locate(root: Node | null, path: readonly PropertyKey[], lines: LineCounter): Place {
	let node: unknown = root;
	let offset = root?.range?.[0] ?? 0;
	for (const step of path) {
		if (isMap(node)) {
			const pair: Pair | undefined = node.items.find(
				(item) => isScalar(item.key) && String(item.key.value) === String(step),
			);
			if (pair === undefined) break;
			offset = (pair.key as Node).range?.[0] ?? offset;
			node = pair.value;
		} else if (isSeq(node)) {
			node = node.items[Number(step)];
			offset = (node as Node | undefined)?.range?.[0] ?? offset;
		} else break;
	}
	return placeAt(lines, offset);
}

function placeAt(lines: LineCounter, offset: number): Place {
	const { line, col } = lines.linePos(offset);
	return { line: Math.max(1, line), column: Math.max(1, col) };
}
