import { expect, it } from "vitest";
import { contentTypeOf } from "./content-type.ts";

it.each([
	["streams/cam01/records/000000000001.json", "application/json"],
	["a/b.c/init-0.mp4", "video/mp4"],
	["a.M4S", null],
	["json", null],
	["a/.json", "application/json"],
	["a.json/b", null],
	["a.constructor", null],
	["", null],
])("tells the content type of %j", (key, type) => {
	expect(contentTypeOf(key)).toBe(type);
});
