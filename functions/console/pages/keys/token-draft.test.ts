import { describe, expect, it } from "vitest";
import { tokenRequestSchema } from "../../../tokens/token-request.ts";
import { EMPTY_DRAFT, requestOf, type TokenDraft } from "./token-draft.ts";

/** As the functions understand it. */
const read = (draft: Partial<TokenDraft>) => tokenRequestSchema.parse(requestOf({ ...EMPTY_DRAFT, ...draft }));

describe("requestOf", () => {
	it("asks for what is written, and leaves out what is not", () => {
		expect(requestOf({ ...EMPTY_DRAFT, path: " site/cam01 " })).toEqual({
			permissions: [{ action: "read", path: "site/cam01" }],
			expiresIn: "8h",
		});
	});

	it("has a permission for each action", () => {
		expect(read({ path: "~^site/", actions: ["read", "publish"], subject: "ana" })).toMatchObject({
			permissions: [
				{ action: "read", path: "~^site/" },
				{ action: "publish", path: "~^site/" },
			],
			subject: "ana",
		});
	});

	it("takes limits however people separate them", () => {
		const limits = { ips: "192.0.2.1, 10.0.0.0/8\n192.0.2.1", countries: "de at", referrers: "*.Example.com" };
		expect(read({ path: "cam", ...limits, concurrency: 2, form: "signed" }).limits).toEqual({
			ips: ["192.0.2.1", "10.0.0.0/8"],
			countries: ["DE", "AT"],
			referrers: ["*.example.com"],
			concurrency: 2,
		});
	});

	it("asks for no limits and no edge token where publishing is allowed, since they would be refused", () => {
		const request = read({ path: "cam", actions: ["publish"], ips: "192.0.2.1", form: "edge" });
		expect([request.limits, request.form]).toEqual([undefined, "signed"]);
	});

	it("asks for an edge token to watch", () => {
		expect(read({ path: "cam", form: "edge" }).form).toBe("edge");
	});
});
