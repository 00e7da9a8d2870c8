import { describe, expect, it } from "vitest";
import { type Fault, scriptedFaults, seededFaults } from "./fault-plan.ts";

const put = { method: "put", key: "a" } as const;
const putIfAbsent = { method: "putIfAbsent", key: "a" } as const;

describe("seededFaults", () => {
	const probabilities = { lostRequest: 0.1, lostResponse: 0.1, conflict: 0.1, throttled: 0.1, maxLatencyMs: 50 };
	const run = (seed: number) => {
		const plan = seededFaults(seed, probabilities);
		return Array.from({ length: 200 }, () => plan.next(putIfAbsent));
	};

	it("gives the same faults for the same seed, and others for another", () => {
		expect(run(7)).toEqual(run(7));
		expect(run(7)).not.toEqual(run(8));
		expect(run(0)).not.toEqual(run(1));
	});

	it("meets its probabilities and its latency", () => {
		const plan = seededFaults(1, probabilities);
		const faults: Fault[] = Array.from({ length: 20_000 }, () => plan.next(putIfAbsent));
		const share = (test: (fault: Fault) => boolean) => faults.filter(test).length / faults.length;
		expect(share((f) => f.fails === "store.unavailable" && f.tookEffect === undefined)).toBeCloseTo(0.1, 1);
		expect(share((f) => f.fails === "store.unavailable" && f.tookEffect === true)).toBeCloseTo(0.1, 1);
		expect(share((f) => f.fails === "store.conflict")).toBeCloseTo(0.1, 1);
		expect(share((f) => f.fails === "store.throttled")).toBeCloseTo(0.1, 1);
		expect(share((f) => f.fails === undefined)).toBeCloseTo(0.6, 1);
		for (const way of ["beforeMs", "afterMs"] as const) {
			expect(Math.min(...faults.map((f) => f[way] ?? -1))).toBe(0);
			expect(Math.max(...faults.map((f) => f[way] ?? -1))).toBe(50);
		}
	});

	it("has no 409 and 412 for writes without a condition", () => {
		const plan = seededFaults(1, { conflict: 0.5, precondition: 0.5 });
		for (let i = 0; i < 100; i++) expect(plan.next(put).fails).toBeUndefined();
		for (let i = 0; i < 100; i++) expect(plan.next(putIfAbsent).fails).toMatch(/conflict|precondition/);
	});

	it("aborts before and after the effect", () => {
		const plan = seededFaults(1, { aborted: 1 });
		const effects = Array.from({ length: 100 }, () => plan.next(put)).map(({ fails, tookEffect }) => [
			fails,
			tookEffect,
		]);
		expect(effects).toContainEqual(["aborted", true]);
		expect(effects).toContainEqual(["aborted", false]);
	});

	it.each([{ lostRequest: 0.6, lostResponse: 0.6 }, { throttled: -0.1 }, { conflict: Number.NaN }])(
		"refuses %j",
		(wrong) => {
			expect(() => seededFaults(1, wrong)).toThrow(RangeError);
		},
	);
});

describe("scriptedFaults", () => {
	it("gives its faults in turn, then none", () => {
		const script = scriptedFaults([{ fails: "store.throttled" }, {}, { fails: "aborted" }]);
		expect([script.next(put).fails, script.next(put).fails, script.next(put).fails]).toEqual([
			"store.throttled",
			undefined,
			"aborted",
		]);
		expect(script.next(put).fails).toBeUndefined();
		expect(script.remaining).toEqual([]);
	});

	it("keeps a fault until its operation comes", () => {
		const script = scriptedFaults([
			{ method: "putIfAbsent", key: "a", fails: "store.conflict" },
			{ key: "b", fails: "store.throttled" },
		]);
		expect(script.next(put).fails).toBeUndefined();
		expect(script.next({ method: "get", key: "b" }).fails).toBe("store.throttled");
		expect(script.remaining).toHaveLength(1);
		expect(script.next(putIfAbsent).fails).toBe("store.conflict");
		expect(script.remaining).toEqual([]);
	});
});
