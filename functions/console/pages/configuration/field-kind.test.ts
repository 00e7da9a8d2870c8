import { describe, expect, it } from "vitest";
import * as z from "zod";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { fieldKindOf } from "./field-kind.ts";

const { shape } = pathConfigSchema;

describe("the kind of a setting", () => {
	it("is a duration or a size, however bounded, when its schema is built on theirs", () => {
		expect(fieldKindOf(shape.hlsRetention.unwrap())).toEqual({ type: "duration" });
		expect(fieldKindOf(shape.whepHandshakeTimeout.unwrap())).toEqual({ type: "duration" });
		expect(fieldKindOf(shape.recordMaxPartSize.unwrap())).toEqual({ type: "size" });
		expect(fieldKindOf(shape.fallback.unwrap())).toEqual({ type: "text" });
	});

	it("has the bounds of a number, and none where only the integers end", () => {
		const bounds = { type: "number", isInteger: true, min: 0, max: 1_000_000 };
		expect(fieldKindOf(shape.maxReaders.unwrap())).toEqual(bounds);
		expect(fieldKindOf(shape.rpiCameraGain.unwrap())).toMatchObject({ isInteger: false, min: null, max: null });
		expect(fieldKindOf(z.int())).toEqual({ type: "number", isInteger: true, min: null, max: null });
	});

	it("has the choices of an enumeration, also behind a preprocessor", () => {
		expect(fieldKindOf(shape.hlsDelivery.unwrap())).toEqual({ type: "choice", choices: ["relative", "presigned"] });
		expect(fieldKindOf(shape.rtspRangeType.unwrap())).toMatchObject({ choices: ["", "clock", "npt", "smpte"] });
	});

	it("is one or more, when a list may stand for its only item", () => {
		expect(fieldKindOf(shape.source.unwrap())).toEqual({ type: "oneOrMore", item: { type: "text" }, max: 16 });
	});

	it("has the members of a list's objects, with what they are without being set", () => {
		const kind = fieldKindOf(shape.forward.unwrap());
		expect(kind).toMatchObject({ type: "list", min: 0, max: 64, item: { type: "object" } });
		const members = kind.type === "list" && kind.item.type === "object" ? kind.item.members : [];
		expect(members.map(({ key, isRequired, fallback }) => [key, isRequired, fallback])).toEqual([
			["dest", true, undefined],
			["destFingerprint", false, ""],
			["whipBearerToken", false, ""],
		]);
	});

	it("is json, for what has no input of its own", () => {
		expect(fieldKindOf(z.record(z.string(), z.number()))).toEqual({ type: "json" });
		expect(fieldKindOf(z.union([z.string(), z.number(), z.boolean()]))).toEqual({ type: "json" });
		expect(fieldKindOf(z.date())).toEqual({ type: "json" });
	});

	it("is one that has an input, for every setting of a path", () => {
		const kinds = Object.values(shape).map((schema) => fieldKindOf(schema.unwrap()).type);
		expect(kinds).not.toContain("json");
	});
});
