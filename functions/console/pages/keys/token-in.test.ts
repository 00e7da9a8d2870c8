import { describe, expect, it } from "vitest";
import { tokenIn } from "./token-in.ts";

describe("tokenIn", () => {
	it.each([
		[" eyJ.eyJ.c2ln \n", "eyJ.eyJ.c2ln"],
		["http://localhost:8888/eyJ.eyJ.c2ln/cam01/index.m3u8", "eyJ.eyJ.c2ln"],
		["https://live.example.com/", ""],
		["http://", "http://"],
	])("finds in %j the token %j", (text, token) => {
		expect(tokenIn(text)).toBe(token);
	});
});
