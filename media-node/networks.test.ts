import { describe, expect, it } from "vitest";
import { Networks, parseNetwork } from "./networks.ts";

describe("addresses and networks", () => {
	it.each([
		["10.1.2.3", { address: "10.1.2.3", prefix: 32, family: "ipv4" }],
		["10.0.0.0/8", { address: "10.0.0.0", prefix: 8, family: "ipv4" }],
		["::1", { address: "::1", prefix: 128, family: "ipv6" }],
		["fd00::/8", { address: "fd00::", prefix: 8, family: "ipv6" }],
		["0.0.0.0/0", { address: "0.0.0.0", prefix: 0, family: "ipv4" }],
		["10.0.0.0/33", null],
		["10.0.0.0/", null],
		["10.0.0.0/8/8", null],
		["10.0.0/8", null],
		["fe80::1%eth0", null],
		["localhost", null],
		["", null],
	])("reads the network %j", (text, network) => expect(parseNetwork(text)).toEqual(network));

	it("hold what is in them, in whichever form it comes", () => {
		const networks = new Networks(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
		expect(["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "fd12::1"].map((ip) => networks.has(ip))).toEqual(
			Array(4).fill(true),
		);
		expect(["11.0.0.1", "192.0.2.8", "fe80::1", "", "localhost"].map((ip) => networks.has(ip))).toEqual(
			Array(5).fill(false),
		);
		expect(() => new Networks(["10.0.0.0/33"])).toThrow(/neither an address nor a network/);
	});
});
