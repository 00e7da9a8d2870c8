import { describe, expect, it } from "vitest";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { GROUPS, groupOf } from "./field-group.ts";
import { fieldsShown, PATH_FIELDS } from "./path-field.ts";

const keysOf = (fields: readonly { key: string }[]) => fields.map(({ key }) => key);

describe("the fields of a path", () => {
	it("are all the settings there are, each with a label, words and a default", () => {
		expect(keysOf(PATH_FIELDS)).toEqual(Object.keys(pathConfigSchema.shape));
		for (const field of PATH_FIELDS) {
			expect(field.label).not.toBe("");
			expect(field.description).not.toBe("");
			expect(field.fallback).not.toBeUndefined();
		}
	});

	it("know the commands, and not what belongs to them", () => {
		const commands = keysOf(PATH_FIELDS.filter(({ isCommand }) => isCommand));
		expect(commands).toContain("runOnInit");
		expect(commands).toContain("runOnRecordSegmentComplete");
		expect(commands).not.toContain("runOnInitRestart");
		expect(commands).not.toContain("runOnDemandStartTimeout");
		expect(commands.every((key) => key.startsWith("runOn"))).toBe(true);
	});

	it("stand in groups, of which none is empty", () => {
		const used = new Set(PATH_FIELDS.map(({ group }) => group));
		expect(GROUPS.filter(({ id }) => !used.has(id))).toEqual([]);
		expect(groupOf("source")).toBe("source");
		expect(groupOf("sourceOnDemandStartTimeout")).toBe("onDemand");
		expect(groupOf("runOnDemand")).toBe("onDemand");
		expect(groupOf("runOnRead")).toBe("hooks");
		expect(groupOf("recordPath")).toBe("hls");
		expect(groupOf("somethingNew")).toBe("advanced");
	});
});

describe("the search for a field", () => {
	it("finds words in keys, labels, descriptions and choices, whatever their case and order", () => {
		expect(keysOf(fieldsShown(PATH_FIELDS, "SEGMENT duration hls", null))).toEqual(["hlsSegmentDuration"]);
		expect(keysOf(fieldsShown(PATH_FIELDS, "presigned", null))).toEqual(["hlsDelivery"]);
		expect(keysOf(fieldsShown(PATH_FIELDS, "last reader", null))).toContain("sourceOnDemandCloseAfter");
		expect(fieldsShown(PATH_FIELDS, "no such thing", null)).toEqual([]);
		expect(fieldsShown(PATH_FIELDS, "  ", null)).toHaveLength(PATH_FIELDS.length);
	});

	it("is among some keys only, if there are such", () => {
		expect(keysOf(fieldsShown(PATH_FIELDS, "", new Set(["hls", "forward"])))).toEqual(["hls", "forward"]);
		expect(keysOf(fieldsShown(PATH_FIELDS, "servers", new Set(["hls", "forward"])))).toEqual(["forward"]);
	});
});
