import { describe, expect, it } from "vitest";
import { FecPolicy, LOSS_PACKETS } from "./fec-policy.ts";

const loss = (fractionLost: number, rttMs: number | null = 100) => ({
	...{ fractionLost, rttMs, packets: LOSS_PACKETS, hasRoom: true },
});

describe("how well packets are protected", () => {
	it("not at all while nothing is lost, and better the more is", () => {
		const policy = new FecPolicy(true);
		for (let i = 0; i < 20; i++) policy.report(loss(0));
		expect(policy.isActive).toBe(false);
		for (let i = 0; i < 20; i++) policy.report(loss(0.05));
		expect(policy).toMatchObject({ isActive: true, groupSize: 4 });
		for (let i = 0; i < 20; i++) policy.report(loss(0.01));
		expect(policy.groupSize).toBeGreaterThan(10);
		for (let i = 0; i < 20; i++) policy.report(loss(0));
		expect(policy.isActive).toBe(false);
	});

	it("not where what is lost is sent again in time, or nobody knows how long that takes", () => {
		for (const rttMs of [null, 5, 29]) {
			const policy = new FecPolicy(true);
			for (let i = 0; i < 20; i++) policy.report(loss(0.05, rttMs));
			expect(policy.isActive).toBe(false);
		}
	});

	it("not while the network carries no more", () => {
		const policy = new FecPolicy(true);
		policy.report(loss(0.05));
		expect(policy.isActive).toBe(true);
		policy.report({ ...loss(0.05), hasRoom: false });
		expect(policy.isActive).toBe(false);
	});

	it("does not take a report of a packet or two for the whole", () => {
		const policy = new FecPolicy(true);
		policy.report({ ...loss(1), packets: 1 });
		expect(policy.isActive).toBe(false);
		for (let i = 0; i < 10; i++) policy.report({ ...loss(0), packets: 20 });
		expect(policy.groupSize).toBeGreaterThan(4);
	});

	it("lets a few packets wait for the next picture, but not for longer than half a round trip", () => {
		const policy = new FecPolicy(true);
		for (let i = 0; i < 20; i++) policy.report(loss(0.05));
		expect(policy.waits(1, 40)).toBe(true);
		expect(policy.waits(1, 51)).toBe(false);
		expect(policy.waits(4, 40)).toBe(false);
	});
});
