import { describe, expect, it } from "vitest";
import { RateMeter } from "../rate-meter.ts";
import { Bandwidth } from "./bandwidth.ts";
import { QueueDelay } from "./queue-delay.ts";
import { MIN_TARGET, TargetRate } from "./target-rate.ts";

/** Sends 10 packets of 1000 bytes each 40 ms: 2 Mbit/s. `tookMs`: of each packet; NaN: it is lost. */
function run(bandwidth: Bandwidth, seconds: number, fromMs: number, tookMs: (i: number, ms: number) => number): number {
	let nowMs = fromMs;
	for (let round = 0; round < seconds * 25; round++, nowMs += 40) {
		const arrivalsMs = new Float64Array(10);
		let base = -1;
		for (let i = 0; i < 10; i++) {
			const sequence = bandwidth.sent(1_000, nowMs);
			if (i === 0) base = sequence;
			// The receiver's clock is another one.
			arrivalsMs[i] = nowMs + 123_456 + tookMs(round * 10 + i, nowMs);
		}
		bandwidth.feedback({ base, arrivalsMs, count: 0 }, 2_000_000, nowMs + 30);
	}
	return nowMs;
}

describe("Bandwidth", () => {
	it("knows no limit while packets come as they are sent, over the wrap of their numbers", () => {
		const bandwidth = new Bandwidth();
		run(bandwidth, 300, 0, (i) => 20 + (i % 7));
		expect(bandwidth.target).toBeNull();
		expect(bandwidth.fractionLost).toBe(0);
	});

	it("goes below what comes when the delay grows, and up again when it does not", () => {
		const bandwidth = new Bandwidth();
		let nowMs = run(bandwidth, 2, 0, () => 20);
		// 1.6 of 2 Mbit/s come: each second the queue grows by 250 ms.
		const startMs = nowMs;
		nowMs = run(bandwidth, 2, nowMs, (_, ms) => 20 + (ms - startMs) * 0.25);
		const low = bandwidth.target!;
		expect(low).toBeGreaterThan(1_100_000);
		expect(low).toBeLessThan(1_600_000);
		run(bandwidth, 5, nowMs + 1_000, () => 20);
		expect(bandwidth.target!).toBeGreaterThan(low * 1.2);
	});

	it("goes down on loss of congestion, but not on some loss", () => {
		const some = new Bandwidth();
		run(some, 10, 0, (i) => (i % 20 === 3 ? Number.NaN : 20));
		expect(some.target).toBeNull();
		expect(some.fractionLost).toBeCloseTo(0.05, 2);
		const much = new Bandwidth();
		run(much, 3, 0, (i) => (i % 5 === 3 ? Number.NaN : 20));
		expect(much.target!).toBeLessThan(2_000_000);
		expect(much.fractionLost).toBeCloseTo(0.2, 2);
	});

	it("goes by reports of loss, and by what the receiver says, where there is nothing else", () => {
		const bandwidth = new Bandwidth();
		bandwidth.report(0.05, 2_000_000, 0);
		expect(bandwidth.target).toBeNull();
		bandwidth.report(0.3, 2_000_000, 1_000);
		expect(bandwidth.target).toBe(1_700_000);
		bandwidth.limit(900_000);
		expect(bandwidth.target).toBe(900_000);
		bandwidth.limit(5_000_000);
		expect(bandwidth.target).toBe(1_700_000);
		bandwidth.report(0, 2_000_000, 2_000);
		expect(bandwidth.target).toBeGreaterThan(1_700_000);
	});

	it("takes no feedback of packets that were never sent", () => {
		const bandwidth = new Bandwidth();
		bandwidth.feedback({ base: 500, arrivalsMs: new Float64Array(100).fill(5), count: 0 }, 0, 0);
		expect([bandwidth.target, bandwidth.fractionLost]).toEqual([null, 0]);
	});
});

describe("TargetRate", () => {
	it("never goes below what sound needs", () => {
		const target = new TargetRate();
		for (let i = 0; i < 100; i++) target.delay("overuse", 10_000, 20, i * 1_000);
		expect(target.bitrate).toBe(MIN_TARGET);
	});

	it("answers one event once", () => {
		const target = new TargetRate();
		target.delay("overuse", 1_000_000, 100, 0);
		target.delay("overuse", 500_000, 100, 300);
		expect(target.bitrate).toBe(850_000);
		target.delay("overuse", 500_000, 100, 400);
		expect(target.bitrate).toBe(425_000);
	});

	it("does not grow beyond what is known to be carried", () => {
		const target = new TargetRate();
		target.delay("overuse", 1_000_000, 20, 0);
		for (let i = 1; i < 100; i++) target.delay("normal", 800_000, 20, i * 500);
		expect(target.bitrate).toBe(1_210_000);
	});
});

describe("QueueDelay", () => {
	it("is what packets take longer than the fastest one lately, and drains by itself", () => {
		const queue = new QueueDelay();
		queue.update(-5_000, 0);
		queue.update(-4_700, 100);
		expect([queue.at(100), queue.at(250), queue.at(1_000)]).toEqual([300, 150, 0]);
		// After a change of the route everything takes longer: that is no queue for ever.
		for (let ms = 200; ms < 30_000; ms += 100) queue.update(-4_700, ms);
		expect(queue.at(30_000)).toBe(0);
	});
});

describe("RateMeter", () => {
	it("tells bits per second of the last second", () => {
		const meter = new RateMeter();
		expect(meter.bitrate(0)).toBe(0);
		for (let ms = 0; ms < 5_000; ms += 10) meter.add(1_250, ms);
		expect(meter.bitrate(5_000)).toBeGreaterThan(890_000);
		expect(meter.bitrate(5_000)).toBeLessThanOrEqual(1_000_000);
		expect(meter.bitrate(5_500)).toBeLessThan(600_000);
		expect(meter.bitrate(7_000)).toBe(0);
	});
});
