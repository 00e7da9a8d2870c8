import { describe, expect, it } from "vitest";
import * as z from "zod";
import { jsonOrNull, parsedJson } from "./json.ts";

const schema = z.object({ n: z.int() });

describe("JSON that others wrote", () => {
	it("is read, whatever it is, and null when it is no JSON", () => {
		expect(jsonOrNull('{"n":1}')).toEqual({ n: 1 });
		expect(jsonOrNull("[1]")).toEqual([1]);
		for (const text of ["", "{", "{'n':1}", "undefined", "\u0000"]) expect(jsonOrNull(text), text).toBeNull();
	});

	it("is what a schema makes of it, and null when that does not take it", () => {
		expect(parsedJson(schema, '{"n":1,"more":2}')).toEqual({ n: 1 });
		for (const text of ["{", "null", "1", "[]", '{"n":"1"}']) expect(parsedJson(schema, text), text).toBeNull();
	});
});
