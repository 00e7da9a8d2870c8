import { describe, expect, it } from "vitest";
import { BandwidthProbe } from "./bandwidth-probe.ts";

/** Begins a probe at two seconds. */
function begun(wanted = 1_500_000, now = 500_000) {
	const probe = new BandwidthProbe();
	probe.begin(wanted, now, 0);
	expect(probe.isActive).toBe(false);
	probe.begin(wanted, now, 2_000);
	expect(probe.isActive).toBe(true);
	return probe;
}

describe("a probe for bandwidth", () => {
	it("sends what is missing to the rate that is wanted, and no more than twice what is carried", () => {
		const probe = begun();
		expect(probe.due(0, 2_000)).toBe(0);
		// 1 Mbit/s are 12,500 bytes in 100 ms.
		expect(probe.due(6_000, 2_100)).toBe(6_500);
		probe.padded(6_500);
		expect(probe.due(0, 2_100)).toBe(0);
		expect(begun(600_000).due(0, 2_100)).toBe(7_500);
		expect(probe.due(0, 2_700)).toBe(0);
	});

	it("tells what was carried when it is over", () => {
		const probe = begun();
		expect(probe.feedback(900_000, false, 50, 2_300)).toBeNull();
		expect(probe.feedback(950_000, false, 50, 2_600)).toBeNull();
		expect(probe.feedback(500_000, false, 50, 2_900)).toBe(950_000);
		probe.begin(1_500_000, 950_000, 3_300);
		expect(probe.isActive).toBe(false);
		probe.begin(1_500_000, 950_000, 3_400);
		expect(probe.isActive).toBe(true);
	});

	it.each([
		["a queue grows", 900_000, true, 2_100],
		["not enough came", 700_000, false, 2_900],
	])("ends when %s, and waits longer before the next one", (_, carried, isTooMuch, atMs) => {
		const probe = begun();
		expect(probe.feedback(carried, isTooMuch, 50, atMs)).toBeNull();
		expect(probe.isActive).toBe(false);
		probe.begin(1_500_000, 500_000, atMs + 3_999);
		expect(probe.isActive).toBe(false);
		probe.begin(1_500_000, 500_000, atMs + 4_000);
		expect(probe.isActive).toBe(true);
	});

	it("begins later when it was not wanted meanwhile", () => {
		const probe = begun();
		probe.cancel(2_050);
		expect([probe.isActive, probe.due(0, 2_100)]).toEqual([false, 0]);
		probe.begin(1_500_000, 500_000, 4_049);
		expect(probe.isActive).toBe(false);
	});
});
