import { describe, expect, it } from "vitest";
import type { FieldKind } from "./field-kind.ts";
import { asItems, emptyValue, fromItems, hintOf, inputText, typedValue, valueText } from "./field-value.ts";
import { PATH_FIELDS } from "./path-field.ts";

const NUMBER: FieldKind = { type: "number", isInteger: false, min: 0, max: 10 };

describe("a value in a line", () => {
	it.each([
		["", "empty"],
		[true, "on"],
		[false, "off"],
		[undefined, "not set"],
		[0, "0"],
		["10s", "10s"],
		[[], "none"],
		[[0, 1.5], "0, 1.5"],
		[["rtsp://a/b", "publisher"], "rtsp://a/b, publisher"],
		[[{ dest: "rtsp://a/b", destFingerprint: "" }], "dest: rtsp://a/b"],
	])("%j: %s", (value, text) => {
		expect(valueText(value)).toBe(text);
	});
});

describe("what is typed", () => {
	it("is a number where one is asked for, and stays text while it is none", () => {
		expect(typedValue(NUMBER, "1.5")).toBe(1.5);
		expect(typedValue(NUMBER, " -3 ")).toBe(-3);
		expect(typedValue(NUMBER, ".5")).toBe(0.5);
		for (const text of ["", "-", "1.", "1e3", "0x10", "two"]) expect(typedValue(NUMBER, text)).toBe(text);
		expect(typedValue({ type: "text" }, "15")).toBe("15");
	});

	it("comes back as it stands in the input", () => {
		for (const text of ["0", "12", "1.5", "-3", "1.", ""]) expect(inputText(typedValue(NUMBER, text))).toBe(text);
		expect(inputText(undefined)).toBe("");
	});
});

describe("a new item of a list", () => {
	it("has what is required, and leaves the rest to the defaults", () => {
		const itemOf = (key: string) => {
			const kind = PATH_FIELDS.find((field) => field.key === key)?.kind;
			return kind?.type === "list" || kind?.type === "oneOrMore" ? emptyValue(kind.item) : undefined;
		};
		expect(itemOf("forward")).toEqual({ dest: "" });
		expect(itemOf("alwaysAvailableTracks")).toEqual({ codec: "AV1" });
		expect(itemOf("source")).toBe("");
		expect(itemOf("rpiCameraAWBGains")).toBe(0);
	});
});

describe("one or more", () => {
	it("is a list while it is edited, and an item when it is alone", () => {
		expect(asItems("publisher")).toEqual(["publisher"]);
		expect(asItems(["a", "b"])).toEqual(["a", "b"]);
		expect(fromItems(["a"])).toBe("a");
		expect(fromItems(["a", "b"])).toEqual(["a", "b"]);
	});
});

it("says how a value is written", () => {
	expect(hintOf({ type: "duration" })).toContain("10s");
	expect(hintOf({ type: "size" })).toContain("50M");
	expect(hintOf(NUMBER)).toBe("0 to 10");
	expect(hintOf({ ...NUMBER, max: null })).toBe("0 or more");
	expect(hintOf({ ...NUMBER, min: null, max: null })).toBe("");
	expect(hintOf({ type: "text" })).toBe("");
});
