/** Values of settings as people read and type them. */

import type { FieldKind, Member } from "./field-kind.ts";

/** A value in one line, for "default: …" and for comparisons. Empty text is said in words. */
export function valueText(value: unknown): string {
	if (value === "") return "empty";
	if (value === true) return "on";
	if (value === false) return "off";
	if (value === null || value === undefined) return "not set";
	if (Array.isArray(value)) {
		if (value.length === 0) return "none";
		return value.map((item) => (typeof item === "object" ? objectText(item) : valueText(item))).join(", ");
	}
	return typeof value === "object" ? objectText(value) : String(value);
}

function objectText(value: unknown): string {
	const members = Object.entries(value ?? {}).filter(([, member]) => member !== "" && member !== undefined);
	return members.map(([key, member]) => `${key}: ${valueText(member)}`).join(", ");
}

/** What was typed into an input of `kind`. What is none yet stays text, for the schema to complain about. */
export function typedValue(kind: FieldKind, text: string): unknown {
	if (kind.type !== "number") return text;
	const trimmed = text.trim();
	const isDecimal = /^-?(?:\d+(?:\.\d*)?|\.\d+)$/.test(trimmed);
	return isDecimal && !trimmed.endsWith(".") ? Number(trimmed) : text;
}

/** What stands in an input for a value. */
export function inputText(value: unknown): string {
	if (typeof value === "string") return value;
	if (typeof value === "number") return String(value);
	return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** What a new item of a list begins as. */
export function emptyValue(kind: FieldKind): unknown {
	switch (kind.type) {
		case "boolean":
			return false;
		case "number":
			return kind.min ?? 0;
		case "choice":
			return kind.choices[0] ?? "";
		case "list":
			return Array.from({ length: kind.min }, () => emptyValue(kind.item));
		case "object":
			return Object.fromEntries(kind.members.filter(isRequired).map((member) => [member.key, emptyValue(member.kind)]));
		case "json":
			return null;
		default:
			return "";
	}
}

const isRequired = (member: Member): boolean => member.isRequired;

/** One value or a list of such as a list. */
export function asItems(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [value];
}

/** A list of one as its item. */
export function fromItems(items: readonly unknown[]): unknown {
	return items.length === 1 ? items[0] : items;
}

/** What number inputs and durations are counted in, where the words of a setting do not say it. */
export function hintOf(kind: FieldKind): string {
	if (kind.type === "duration") return "such as 500ms, 10s, 1h30m or 1d";
	if (kind.type === "size") return "such as 500K, 50M or 10G";
	if (kind.type !== "number") return "";
	if (kind.min !== null && kind.max !== null) return `${kind.min} to ${kind.max}`;
	return kind.min === null ? "" : `${kind.min} or more`;
}
