/** What kind of value a setting has, told from its schema: from this the form knows which input to show. */

import * as z from "zod";
import { durationSchema } from "#shared/config/duration.ts";
import { size } from "#shared/config/scalar.ts";

export type FieldKind =
	| { readonly type: "text" | "duration" | "size" | "boolean" }
	| { readonly type: "number"; readonly isInteger: boolean; readonly min: number | null; readonly max: number | null }
	| { readonly type: "choice"; readonly choices: readonly string[] }
	| { readonly type: "list"; readonly item: FieldKind; readonly min: number; readonly max: number }
	/** One value, or a list of such. */
	| { readonly type: "oneOrMore"; readonly item: FieldKind; readonly max: number }
	| { readonly type: "object"; readonly members: readonly Member[] }
	/** Nothing that has an input of its own: edited as JSON. */
	| { readonly type: "json" };

export type Member = {
	readonly key: string;
	readonly kind: FieldKind;
	readonly isRequired: boolean;
	/** `undefined`: there is none. */
	readonly fallback: unknown;
};

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** A bound that JSON Schema writes for every safe integer is none that somebody set. */
const isBound = (value: number | undefined): value is number =>
	value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

/** The kind of what a schema takes. Never throws: what it does not know is `json`. */
export function fieldKindOf(schema: z.ZodType): FieldKind {
	return kindOf(z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }));
}

function kindOf(schema: JsonSchema): FieldKind {
	const { type } = schema;
	if (schema.anyOf !== undefined) return oneOrMoreOf(schema.anyOf);
	if (Array.isArray(schema.enum) && schema.enum.every((choice) => typeof choice === "string"))
		return { type: "choice", choices: schema.enum };
	if (type === "string") return { type: unitOf(schema.description) };
	if (type === "boolean") return { type };
	if (type === "number" || type === "integer") {
		const { minimum, maximum } = schema;
		return {
			type: "number",
			isInteger: type === "integer",
			min: isBound(minimum) ? minimum : null,
			max: isBound(maximum) ? maximum : null,
		};
	}
	if (type === "array" && isSchema(schema.items)) {
		const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
		return { type: "list", item: kindOf(items), min: minItems, max: maxItems };
	}
	if (type === "object" && schema.properties !== undefined)
		return { type: "object", members: membersOf(schema.properties) };
	return { type: "json" };
}

/** A duration or a size is text to JSON Schema; what tells them apart is the description that all of them share. */
function unitOf(description: string | undefined): "duration" | "size" | "text" {
	if (description === undefined) return "text";
	if (description === durationSchema.description) return "duration";
	return description === size.description ? "size" : "text";
}

function oneOrMoreOf(options: readonly z.core.JSONSchema._JSONSchema[]): FieldKind {
	const [one, more] = options.map((option): FieldKind => (isSchema(option) ? kindOf(option) : { type: "json" }));
	const isPair = options.length === 2 && one !== undefined && more?.type === "list" && more.item.type === one.type;
	return isPair ? { type: "oneOrMore", item: one, max: more.max } : { type: "json" };
}

function membersOf(properties: Readonly<Record<string, z.core.JSONSchema._JSONSchema>>): Member[] {
	return Object.entries(properties).map(([key, member]) => {
		const fallback = isSchema(member) ? member.default : undefined;
		const kind: FieldKind = isSchema(member) ? kindOf(member) : { type: "json" };
		return { key, kind, isRequired: fallback === undefined, fallback };
	});
}

function isSchema(value: unknown): value is JsonSchema {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
