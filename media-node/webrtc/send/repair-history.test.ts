import { describe, expect, it } from "vitest";
import { RepairHistory } from "./repair-history.ts";

describe("FEC packets that may be sent again", () => {
	it("are sent again twice, and not sooner than a round trip", () => {
		const history = new RepairHistory();
		const bytes = new Uint8Array(3);
		history.push(7, bytes);
		expect(history.take(8, 100, 0)).toBeNull();
		expect(history.take(7, 100, 0)).toBe(bytes);
		expect(history.take(7, 100, 99)).toBeNull();
		expect(history.take(7, 100, 100)).toBe(bytes);
		expect(history.take(7, 100, 900)).toBeNull();
	});

	it("are the last ones only", () => {
		const history = new RepairHistory();
		for (let i = 0; i < 200; i++) history.push((65_500 + i) & 0xffff, new Uint8Array(1));
		expect(history.size).toBe(64);
		expect(history.take((65_500 + 135) & 0xffff, 0, 0)).toBeNull();
		expect(history.take((65_500 + 136) & 0xffff, 0, 0)).not.toBeNull();
		history.clear();
		expect(history.size).toBe(0);
	});
});
