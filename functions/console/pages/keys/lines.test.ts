import { describe, expect, it } from "vitest";
import { entriesOf, linesOf } from "./lines.ts";

describe("entriesOf", () => {
	it("separates by whatever people write, and has each entry once", () => {
		expect(entriesOf(" DE, AT\nCH ,DE ")).toEqual(["DE", "AT", "CH"]);
		expect(entriesOf(" \n")).toEqual([]);
	});
});

describe("linesOf", () => {
	it("leaves commas and spaces within a line alone", () => {
		expect(linesOf(" ~^a{1,2} b$ \n\ncam01\r\ncam01")).toEqual(["~^a{1,2} b$", "cam01"]);
	});
});
