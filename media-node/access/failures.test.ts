import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import {
	addressKey,
	Failures,
	MAX_ADDRESSES,
	MAX_FAILURES,
	MAX_PAUSE_MS,
	MIN_PAUSE_MS,
	REFUSED_MS,
	WINDOW_MS,
} from "./failures.ts";

const IP = "10.1.2.3";

function setUp() {
	const clock = new FakeClock(0);
	const failures = new Failures({ clock });
	const fail = (times: number, ip = IP) => {
		for (let i = 0; i < times; i++) failures.add(ip);
	};
	return { clock, failures, fail };
}

describe("failed attempts", () => {
	it("close their address when there are too many, for a while, and no other", async () => {
		const { clock, failures, fail } = setUp();
		fail(MAX_FAILURES - 1);
		expect(failures.refuses(IP)).toBe(false);
		fail(1);
		expect(failures.refuses(IP)).toBe(true);
		expect(failures.refuses("10.1.2.4")).toBe(false);
		await clock.advance(REFUSED_MS - 1);
		expect(failures.refuses(IP)).toBe(true);
		await clock.advance(1);
		expect(failures.refuses(IP)).toBe(false);
	});

	it("count anew after they have closed their address", async () => {
		const { clock, failures, fail } = setUp();
		fail(MAX_FAILURES);
		await clock.advance(REFUSED_MS);
		fail(MAX_FAILURES - 1);
		expect(failures.refuses(IP)).toBe(false);
		fail(1);
		expect(failures.refuses(IP)).toBe(true);
	});

	it("do not count when they are further apart", async () => {
		const { clock, failures, fail } = setUp();
		for (let i = 0; i < 10 * MAX_FAILURES; i++) {
			fail(1);
			expect(failures.refuses(IP)).toBe(false);
			await clock.advance(Math.ceil(WINDOW_MS / (MAX_FAILURES - 1)));
		}
	});

	it("that were under way keep an address closed", async () => {
		const { clock, failures, fail } = setUp();
		fail(MAX_FAILURES);
		await clock.advance(REFUSED_MS - 1000);
		fail(1);
		expect(failures.refuses(IP)).toBe(true);
		await clock.advance(1000);
		expect(failures.refuses(IP)).toBe(false);
	});

	it("are forgotten when they are over", async () => {
		const { clock, failures, fail } = setUp();
		for (let i = 0; i < 100; i++) fail(1, `10.0.0.${i}`);
		fail(MAX_FAILURES, "10.0.1.1");
		expect(failures.size).toBe(101);
		await clock.advance(Math.max(WINDOW_MS, REFUSED_MS));
		fail(1);
		expect(failures.size).toBe(1);
	});

	it("of many addresses push out the oldest", () => {
		const { failures, fail } = setUp();
		fail(MAX_FAILURES);
		for (let i = 0; i < MAX_ADDRESSES - 1; i++) fail(1, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
		expect(failures.refuses(IP)).toBe(true);
		fail(1, "192.168.0.1");
		expect(failures.size).toBe(MAX_ADDRESSES);
		expect(failures.refuses(IP)).toBe(false);
	});

	it("are answered after a random time", () => {
		const { failures } = setUp();
		const pauses = Array.from({ length: 200 }, (_, i) => failures.add(`10.0.0.${i}`));
		expect(Math.min(...pauses)).toBeGreaterThanOrEqual(MIN_PAUSE_MS);
		expect(Math.max(...pauses)).toBeLessThan(MAX_PAUSE_MS);
		expect(new Set(pauses).size).toBeGreaterThan(20);
	});
});

describe("the address that failures count for", () => {
	it.each([
		["10.1.2.3", "10.1.2.3"],
		["::ffff:10.1.2.3", "10.1.2.3"],
		["::FFFF:10.1.2.3", "10.1.2.3"],
		["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
		["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
		["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
		["2001:db8::1:2:3:4", "2001:db8:0:0::/64"],
		["2001:db8::2:3:4:5:6", "2001:db8:0:2::/64"],
		["::1", "0:0:0:0::/64"],
		["64:ff9b::10.1.2.3", "64:ff9b:0:0::/64"],
		["fe80::1%eth0", "fe80:0:0:0::/64"],
		["", ""],
		["nonsense", "nonsense"],
	])("of %j is %j", (ip, expected) => {
		expect(addressKey(ip)).toBe(expected);
	});
});
