import { describe, expect, it } from "vitest";
import type { PathVersionSummary } from "../../../routes/path-history.ts";
import { actionText, authorText } from "./version-text.ts";

const VERSION: PathVersionSummary = {
	version: 3,
	at: "2026-11-21T10:00:00.000Z",
	by: { kind: "key", id: "k1", name: "ana" },
	action: "put",
	restored: null,
	isDeleted: false,
};

describe("a version in words", () => {
	it("says who", () => {
		expect(authorText(VERSION.by)).toBe("ana");
		expect(authorText({ kind: "token", id: "t1", name: "deploy" })).toBe("deploy (token)");
		expect(authorText({ kind: "key", id: "k1", name: "" })).toBe("k1");
		expect(authorText({ kind: "unknown", id: "", name: "" })).toBe("Something without a name");
	});

	it("says what", () => {
		expect(actionText(VERSION)).toBe("Changed");
		expect(actionText({ ...VERSION, version: 1 })).toBe("Made");
		expect(actionText({ ...VERSION, action: "rollback", restored: 2 })).toBe("Rolled back to version 2");
		expect(actionText({ ...VERSION, action: "delete", isDeleted: true })).toBe("Deleted");
		expect(actionText({ ...VERSION, action: "found", isDeleted: true })).toContain("deleted");
		expect(actionText({ ...VERSION, action: "found" })).toContain("written");
	});
});
