import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import type { z } from "zod";
import { type ConfigFault, configError } from "./config-error.ts";
import { type Settings, settingsSchema } from "./settings-schema.ts";
import { closest } from "./suggest.ts";

/** A configuration file of a person; nobody needs more. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Aliases may repeat a part of the file, but not blow it up. */
const MAX_ALIAS_COUNT = 1000;
/** Keys whose value no message may show. */
const SECRET_KEYS: ReadonlySet<string> = new Set(["pass"]);

/**
 * Reads the text of a configuration file. `file` is its name for messages.
 * @throws InputError `config.invalid` with every fault, its line, column and key
 */
export function readConfig(text: string, file: string): Settings {
	if (text.length > MAX_CONFIG_BYTES) {
		throw configError(file, [{ line: 1, column: 1, key: "", message: `is larger than ${MAX_CONFIG_BYTES} bytes` }]);
	}
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
	if (document.errors.length > 0) {
		throw configError(
			file,
			document.errors.map((error) => ({ ...place(lines, error.pos[0]), key: "", message: error.message })),
		);
	}
	let value: unknown;
	try {
		value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) ?? {};
	} catch (cause) {
		const message = cause instanceof Error ? cause.message : String(cause);
		throw configError(file, [{ line: 1, column: 1, key: "", message }]);
	}
	const result = settingsSchema.safeParse(value, { reportInput: true });
	if (result.success) return result.data;
	throw configError(
		file,
		result.error.issues.flatMap((issue) => faultsOf(issue, document.contents, lines)),
	);
}

function faultsOf(issue: z.core.$ZodIssue, root: Node | null, lines: LineCounter): ConfigFault[] {
	if (issue.code === "unrecognized_keys") {
		return issue.keys.map((key) => {
			const path = [...issue.path, key];
			const meant = closest(key, knownKeys(issue.path));
			const hint = meant === null ? "" : `; did you mean ${meant}?`;
			return { ...locate(root, path, lines), key: path.join("."), message: `is not a setting${hint}` };
		});
	}
	// A record reports a bad key with the key at the end of its path, and says why in nested issues.
	const message = issue.code === "invalid_key" ? issue.issues.map((inner) => inner.message).join("; ") : issue.message;
	const secret = issue.path.some((step) => SECRET_KEYS.has(String(step)));
	const given = "input" in issue && isPlain(issue.input) && !secret ? ` (is ${JSON.stringify(issue.input)})` : "";
	return [{ ...locate(root, issue.path, lines), key: issue.path.join("."), message: `${message}${given}` }];
}

function isPlain(value: unknown): value is string | number | boolean | null {
	return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** The keys that may stand where `path` leads. */
function knownKeys(path: readonly PropertyKey[]): string[] {
	if (path.length === 0) return Object.keys(settingsSchema.shape);
	if (path[0] === "pathDefaults" || path[0] === "paths")
		return Object.keys(settingsSchema.shape.pathDefaults.unwrap().out.shape);
	return [];
}

/** The line and column of the key that `path` leads to, or of the deepest part of it that the file has. */
function locate(root: Node | null, path: readonly PropertyKey[], lines: LineCounter): { line: number; column: number } {
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
	return place(lines, offset);
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
	const { line, col } = lines.linePos(offset);
	return { line: Math.max(1, line), column: Math.max(1, col) };
}
