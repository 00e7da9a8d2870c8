import { describe, expect, it } from "vitest";
import { MAX_PATH_NAME_LENGTH, parsePathName } from "#shared/path-name.ts";
import { assertObjectKey, compareKeys } from "#shared/store/object-key.ts";
import {
	type DeliverySummary,
	describeOutcome,
	keyOf,
	keyOfName,
	MAX_NAME_LENGTH,
	nameOf,
	statusOf,
	summaryOf,
} from "./delivery-name.ts";

const DELIVERY: DeliverySummary = {
	state: "dead",
	atMs: Date.UTC(2026, 10, 21, 13, 40),
	sequence: 17,
	path: parsePathName("site/gate-2"),
	eventId: "evt_0123456789abcdef",
	endpointId: "wh_0123456789abcdef",
	attempts: 10,
	outcome: "503",
	type: "stream.online",
};

describe("the key of a delivery", () => {
	it.each<Partial<DeliverySummary>>([
		{},
		{ state: "done", outcome: "204", attempts: 1 },
		{ state: "pending", outcome: "none", attempts: 0 },
		{ path: null, sequence: 0, type: "webhook.test" },
		{ path: parsePathName("-"), outcome: "timeout" },
		{ path: parsePathName("a.b/c_d/evt_00000000"), outcome: "refused" },
		{
			path: parsePathName("x".repeat(MAX_PATH_NAME_LENGTH)),
			sequence: 999_999_999_999,
			eventId: `evt_${"f".repeat(64)}`,
		},
	])("says all that a listing shows: %j", (more) => {
		const summary = { ...DELIVERY, ...more };
		const key = keyOf(summary);
		assertObjectKey(key);
		expect(summaryOf(summary.state, key)).toEqual(summary);
		const name = nameOf(summary.state, key);
		expect(name).toMatch(/^[\w.~-]+$/);
		expect(name.length).toBeLessThanOrEqual(MAX_NAME_LENGTH);
		expect(keyOfName(summary.state, name)).toBe(key);
	});

	it("sorts those that wait by when they are due, then by the number of the event", () => {
		const pending = (atMs: number, sequence: number) => keyOf({ ...DELIVERY, state: "pending", atMs, sequence });
		const keys = [pending(1000, 0), pending(1000, 1), pending(1000, 12), pending(2000, 0), pending(1e12, 0)];
		expect(keys.toSorted(compareKeys)).toEqual(keys);
	});

	it("sorts the others the newest first", () => {
		const dead = (atMs: number) => keyOf({ ...DELIVERY, atMs });
		const keys = [dead(1e13), dead(2e12), dead(2e12 - 1), dead(1000), dead(0)];
		expect(keys.toSorted(compareKeys)).toEqual(keys);
	});

	it("is not what somebody else put there, nor what a name makes up", () => {
		const key = keyOf(DELIVERY);
		for (let length = 0; length < key.length; length++) expect(summaryOf("dead", key.slice(0, length))).toBeNull();
		const name = nameOf("dead", key);
		for (let length = 0; length < name.length; length++) {
			const cut = keyOfName("dead", name.slice(0, length));
			// A shorter type is one as well.
			if (cut !== null) expect(key.startsWith(cut.slice(0, -".json".length))).toBe(true);
		}
		for (const made of [
			"",
			"~",
			"../../config/api-keys",
			`${name}/..`,
			`${name}~x`,
			name.replace("503", "5030"),
			"\u0000",
		])
			expect(keyOfName("dead", made), made).toBeNull();
		expect(summaryOf("dead", key.replace("503", "constructor"))).toBeNull();
		expect(summaryOf("done", key)).toBeNull();
	});
});

describe("an outcome", () => {
	it("is a status, or why there is none", () => {
		expect([statusOf("204"), statusOf("timeout"), statusOf("none")]).toEqual([204, null, null]);
		expect([describeOutcome("502"), describeOutcome("reset")]).toEqual(["HTTP 502", "the connection was reset"]);
	});
});
