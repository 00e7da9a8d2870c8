import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { isGroup, parseListenUrl, plainAddress } from "./listen-url.ts";

describe("the URL of a source that listens", () => {
	it.each([
		["udp+mpegts://238.0.0.1:1234", { host: "238.0.0.1", port: 1234, interface: null, source: null }],
		["udp://0.0.0.0:5000/", { host: "0.0.0.0", port: 5000, interface: null, source: null }],
		["udp+rtp://[ff02::1]:5004", { host: "ff02::1", port: 5004, interface: null, source: null }],
		["udp+rtp://localhost:5004?source=", { host: "localhost", port: 5004, interface: null, source: null }],
		[
			"udp+mpegts://232.1.2.3:1234?source=192.0.2.7&interface=eth0.7",
			{ host: "232.1.2.3", port: 1234, interface: "eth0.7", source: "192.0.2.7" },
		],
	])("is %s", (text, expected) => {
		expect(parseListenUrl(text)).toEqual(expected);
	});

	it.each([
		"",
		"udp://",
		"udp://238.0.0.1",
		"udp://238.0.0.1:0",
		"udp://238.0.0.1:65536",
		"udp://user@238.0.0.1:1234",
		"udp://[238.0.0.1]:1234",
		"udp://[::g]:1234",
		"udp://238.0.0.1:1234?source=camera",
		`udp://${"a".repeat(3000)}:1`,
	])("is not %s", (text) => {
		expect(() => parseListenUrl(text)).toThrow(InputError);
	});

	it("knows groups of both families", () => {
		for (const group of ["224.0.0.1", "232.1.2.3", "239.255.255.255", "ff02::1", "FF15::9"]) {
			expect(isGroup(group), group).toBe(true);
		}
		for (const other of ["223.255.255.255", "240.0.0.1", "127.0.0.1", "fe80::1", "::1"]) {
			expect(isGroup(other), other).toBe(false);
		}
	});

	it("compares addresses without zone, letter case and what IPv6 adds to IPv4", () => {
		expect(plainAddress("::ffff:192.0.2.7")).toBe("192.0.2.7");
		expect(plainAddress("FE80::1%eth0")).toBe("fe80::1");
		expect(plainAddress("::ffff:abcd")).toBe("::ffff:abcd");
	});
});
