/** The settings of a path as text to copy, and to paste: YAML as under `paths:` of a configuration file, or JSON. */

import { parseDocument, stringify } from "yaml";
import type { Overrides } from "./draft.ts";
import { faultText, schemaFaults } from "./field-fault.ts";
import { PATH_FIELDS } from "./path-field.ts";

export type TextFormat = "yaml" | "json";

/** A server takes no more (`MAX_DOCUMENT_CHARS` of functions/history); comments may come on top. */
const MAX_TEXT_LENGTH = 100_000;

const ORDER: ReadonlyMap<string, number> = new Map(PATH_FIELDS.map(({ key }, i) => [key, i]));

/** In the order of the schema. */
export function overridesText(overrides: Overrides, format: TextFormat): string {
	const place = (key: string) => ORDER.get(key) ?? Number.MAX_SAFE_INTEGER;
	const sorted = Object.fromEntries(Object.entries(overrides).sort(([a], [b]) => place(a) - place(b)));
	if (format === "json") return `${JSON.stringify(sorted, null, 2)}\n`;
	return Object.keys(sorted).length === 0 ? "" : stringify(sorted, { lineWidth: 0 });
}

export type ReadText =
	| { readonly overrides: Overrides; readonly fault: null }
	| { readonly overrides: null; readonly fault: string };

/** Reads YAML, of which JSON is a part (YAML 1.2.2 §1.2). What it holds is what the schema takes. Never throws. */
export function readOverridesText(text: string): ReadText {
	const refused = (fault: string): ReadText => ({ overrides: null, fault });
	if (text.length > MAX_TEXT_LENGTH) return refused(`The text has more than ${MAX_TEXT_LENGTH} characters`);
	const document = parseDocument(text, { prettyErrors: true });
	const [error] = document.errors;
	if (error !== undefined) return refused(firstLine(error.message));
	const value = toValue(document);
	if (value === undefined) return refused("Aliases that repeat themselves cannot be read");
	if (value === null) return { overrides: {}, fault: null };
	if (typeof value !== "object" || Array.isArray(value))
		return refused("The text must hold settings, such as maxReaders: 10");
	const overrides = JSON.parse(JSON.stringify(value)) as Overrides;
	const [first] = schemaFaults(overrides);
	if (first === undefined) return { overrides, fault: null };
	const [key, faults] = first;
	return refused(`${key}: ${faultText(faults, [], true) ?? ""}`);
}

/** `undefined` when there is none that is finite. */
function toValue(document: ReturnType<typeof parseDocument>): unknown {
	try {
		return document.toJS({ maxAliasCount: 100 });
	} catch {
		// The parser has no other way to refuse what grows without end.
		return undefined;
	}
}

function firstLine(message: string): string {
	return message.split("\n", 1)[0]?.replace(/:$/, "") ?? message;
}
