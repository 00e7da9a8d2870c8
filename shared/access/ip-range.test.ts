import { BlockList, isIP } from "node:net";
import { describe, expect, it } from "vitest";
import { isInRange, parseIp, parseIpRange, unmapped } from "./ip-range.ts";

const ADDRESSES = [
	"192.0.2.1",
	"0.0.0.0",
	"255.255.255.255",
	"256.0.0.1",
	"1.2.3",
	"1.2.3.4.5",
	"01.2.3.4",
	"1.2.3.4.",
	"",
	" ",
	"::",
	"::1",
	"1::",
	"2001:db8::1",
	"2001:DB8:0:0:0:0:0:1",
	"1:2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1::2::3",
	":::",
	":1",
	"1:",
	"g::1",
	"12345::1",
	"::ffff:192.0.2.1",
	"::192.0.2.1",
	"1:2:3:4:5:6:192.0.2.1",
	"1:2:3:4:5:6:7:192.0.2.1",
	"::192.0.2.1:1",
	"::1.2.3",
	"1:2:3:4:5:6:7::",
	"fe80::1%eth0",
	"localhost",
	"[::1]",
];

describe("IP addresses", () => {
	it("are those that Node.js takes for such", () => {
		for (const text of ADDRESSES) {
			const isAddress = isIP(text) !== 0 && !text.includes("%");
			expect(parseIp(text) !== null, text).toBe(isAddress);
		}
	});

	it("are in the networks in which Node.js has them", () => {
		const texts = [
			"10.0.0.0/8",
			"192.0.2.0/24",
			"192.0.2.128/25",
			"0.0.0.0/0",
			"192.0.2.1/32",
			"2001:db8::/32",
			"2001:db8::/33",
			"::/0",
			"::1/128",
		];
		const addresses = [
			"10.255.0.1",
			"11.0.0.1",
			"192.0.2.1",
			"192.0.2.200",
			"2001:db8::1",
			"2001:db8:8000::",
			"2001:db9::",
			"::1",
			"::2",
		];
		for (const text of texts) {
			const range = parseIpRange(text)!;
			const list = new BlockList();
			const [address = "", bits] = text.split("/");
			list.addSubnet(address, Number(bits), address.includes(":") ? "ipv6" : "ipv4");
			// Node.js sees IPv4 addresses in ::/0 too; here the families are apart.
			for (const asked of addresses.filter((other) => other.includes(":") === text.includes(":"))) {
				const isIn = list.check(asked, asked.includes(":") ? "ipv6" : "ipv4");
				expect(isInRange(range, asked), `${asked} in ${text}`).toBe(isIn);
			}
		}
	});

	it.each([
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/",
		"10.0.0.0/8/8",
		"10.0.0.0/a",
		"::/129",
		"::ffff:10.0.0.0/95",
		"10/8",
		"/8",
	])("are no network: %s", (text) => {
		expect(parseIpRange(text)).toBeNull();
	});
});

describe("unmapped", () => {
	it("shows an IPv4 address that came through an IPv6 socket as itself", () => {
		expect(["::ffff:10.0.0.1", "::FFFF:10.0.0.1", "::1", "10.0.0.1", "::ffff:x"].map(unmapped)).toEqual([
			"10.0.0.1",
			"10.0.0.1",
			"::1",
			"10.0.0.1",
			"::ffff:x",
		]);
	});
});
