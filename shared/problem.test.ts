import { describe, expect, it } from "vitest";
import { DeniedError, hasCode, PROBLEMS, problemOf } from "./problem.ts";

describe("problem documents", () => {
	it("describe an error of the taxonomy by its code, with what it knows", () => {
		const error = new DeniedError("access.forbidden", "This token is for cam01", { data: { path: "cam02" } });
		expect(problemOf(error)).toEqual({
			type: "urn:sluice:problem:access.forbidden",
			title: PROBLEMS["access.forbidden"].title,
			status: 403,
			detail: "This token is for cam01",
			code: "access.forbidden",
			path: "cam02",
		});
	});

	it("never let an error's own data overwrite the standard members", () => {
		const error = new DeniedError("access.forbidden", "no", { data: { status: 200, type: "x", code: "y" } });
		expect(problemOf(error)).toMatchObject({
			status: 403,
			type: "urn:sluice:problem:access.forbidden",
			code: "access.forbidden",
		});
	});

	it.each([new Error("secret detail"), "a string", undefined])("say nothing of a bug: %s", (bug) => {
		expect(problemOf(bug)).toMatchObject({ status: 500, code: "internal" });
		expect(JSON.stringify(problemOf(bug))).not.toContain("secret detail");
	});

	it("know a code when they see it, and never throw on anything else", () => {
		expect(hasCode(new DeniedError("access.forbidden", ""), "access.forbidden", "path.name")).toBe(true);
		expect(hasCode(new DeniedError("access.forbidden", ""), "path.name")).toBe(false);
		expect(hasCode(null, "path.name")).toBe(false);
	});
});
