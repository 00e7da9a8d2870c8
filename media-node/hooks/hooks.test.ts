import { describe, expect, it } from "vitest";
import { HOOKS, INSTANTS, MOMENTS } from "./hooks.ts";

describe("the table of hooks", () => {
	it("has each hook of MediaMTX once, each opening one before its closing one", () => {
		expect(HOOKS).toEqual([
			"runOnConnect",
			"runOnDisconnect",
			"runOnInit",
			"runOnDemand",
			"runOnUnDemand",
			"runOnAvailable",
			"runOnUnavailable",
			"runOnOnline",
			"runOnOffline",
			"runOnRead",
			"runOnUnread",
			"runOnRecordSegmentCreate",
			"runOnRecordSegmentComplete",
		]);
	});

	it("has a restart flag for each command that runs as long as its moment, and for no other", () => {
		for (const [hook, { restart }] of Object.entries(MOMENTS)) expect(restart).toBe(`${hook}Restart`);
		expect(INSTANTS.filter((hook) => hook in MOMENTS)).toEqual([]);
	});
});
