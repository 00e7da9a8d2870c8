/** The settings of a path as fields of a form, made from their schema. */

import { hooksShape, recordHooksShape } from "#shared/config/path/hooks.ts";
import { DEFAULT_PATH_CONFIG, pathConfigSchema } from "#shared/config/path-config.ts";
import { type GroupId, groupOf } from "./field-group.ts";
import { type FieldKind, fieldKindOf } from "./field-kind.ts";
import { labelOf } from "./field-label.ts";

export type Field = {
	readonly key: string;
	readonly label: string;
	readonly description: string;
	readonly kind: FieldKind;
	/** What it is when nobody sets it, anywhere. */
	readonly fallback: unknown;
	readonly group: GroupId;
	/** A command that nodes run: only administrators set it. */
	readonly isCommand: boolean;
	/** Text of several lines. */
	readonly isLong: boolean;
};

const COMMANDS: ReadonlySet<string> = new Set(
	Object.keys({ ...hooksShape, ...recordHooksShape }).filter(
		(key) => new Map(Object.entries(DEFAULT_PATH_CONFIG)).get(key) === "",
	),
);

const LONG: ReadonlySet<string> = new Set(["rtpSDP"]);

/** Every setting of a path, in the order of its schema. */
export const PATH_FIELDS: readonly Field[] = Object.entries(pathConfigSchema.shape).map(([key, schema]) => ({
	key,
	label: labelOf(key),
	description: schema.description ?? "",
	kind: fieldKindOf(schema.unwrap()),
	fallback: schema.parse(undefined),
	group: groupOf(key),
	isCommand: COMMANDS.has(key),
	isLong: LONG.has(key),
}));

/** What of the fields is shown: all words of `query` in key, label, description or choices; only those of `keys`. */
export function fieldsShown(fields: readonly Field[], query: string, keys: ReadonlySet<string> | null): Field[] {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	return fields.filter((field) => {
		if (keys !== null && !keys.has(field.key)) return false;
		const { kind } = field;
		const choices = kind.type === "choice" ? kind.choices.join(" ") : "";
		const text = `${field.key} ${field.label} ${field.description} ${choices}`.toLowerCase();
		return words.every((word) => text.includes(word));
	});
}
