import { describe, expect, it } from "vitest";
import { KeyFrameRequests } from "./key-frame-requests.ts";

function setUp() {
	let asked = 0;
	const requests = new KeyFrameRequests({ ask: () => asked++ });
	return { requests, asked: () => asked };
}

describe("KeyFrameRequests", () => {
	it("asks nobody while nobody needs a key frame", () => {
		const { requests, asked } = setUp();
		for (let ms = 0; ms < 60_000; ms += 10) requests.tick(ms);
		expect(asked()).toBe(0);
	});

	it("asks once for many who need one at a time", () => {
		const { requests, asked } = setUp();
		for (let ms = 1_000; ms < 1_499; ms++) requests.need(ms);
		expect(asked()).toBe(1);
	});

	it("asks again each 500 ms until one comes", () => {
		const { requests, asked } = setUp();
		requests.need(1_000);
		for (let ms = 1_000; ms <= 2_100; ms += 10) requests.tick(ms);
		expect(asked()).toBe(3);
		requests.came(2_110);
		for (let ms = 2_110; ms < 10_000; ms += 10) requests.tick(ms);
		expect(asked()).toBe(3);
	});

	it("asks when pictures break right after a key frame, but not before its time", () => {
		const { requests, asked } = setUp();
		requests.need(0);
		requests.came(100);
		requests.need(200);
		expect(asked()).toBe(1);
		requests.tick(500);
		expect(asked()).toBe(2);
	});

	it("asks for a reader that joins only when no key frame came within 500 ms", () => {
		const { requests, asked } = setUp();
		requests.came(1_000);
		requests.join(1_499);
		expect(asked()).toBe(0);
		requests.join(1_500);
		expect(asked()).toBe(1);
	});

	it("gives up on a sender that does not answer, until somebody wants one again", () => {
		const { requests, asked } = setUp();
		requests.need(0);
		for (let ms = 0; ms < 60_000; ms += 10) requests.tick(ms);
		const before = asked();
		expect(before).toBe(10);
		requests.need(60_000);
		expect(asked()).toBe(before + 1);
	});
});
