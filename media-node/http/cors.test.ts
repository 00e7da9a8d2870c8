import { describe, expect, it } from "vitest";
import { ClientAddress } from "./client-address.ts";
import { allowedOrigin } from "./cors.ts";

describe("the origins that browsers may call from", () => {
	it.each([
		["https://a.example", ["https://a.example"], "https://a.example"],
		["https://a.example:443", ["https://a.example"], "https://a.example:443"],
		["http://a.example", ["https://a.example"], null],
		["https://a.example:8443", ["https://a.example"], null],
		["https://a.example:8443", ["https://a.example:*"], "https://a.example:8443"],
		["https://sub.a.example", ["https://*.a.example"], "https://sub.a.example"],
		["https://a.example", ["https://*.a.example"], "https://a.example"],
		["https://eviла.example", ["https://a.example"], null],
		["https://evil-a.example", ["https://*.a.example"], null],
		["https://a.example.evil", ["https://a.example", "https://*.a.example"], null],
		["https://axexample", ["https://a.example"], null],
		["https://cam12.lan", ["https://cam*.lan"], "https://cam12.lan"],
		["https://a.example", ["*"], "*"],
		["https://a.example", ["*", "https://a.example"], "https://a.example"],
		["", ["*"], "*"],
		["", ["https://a.example"], null],
		["null", ["*"], null],
		["https://a.example/path", ["*"], null],
		["https://u@a.example", ["*"], null],
		["https://a.example", [], null],
	])("%s of %j: %s", (origin, allowed, answer) => {
		expect(allowedOrigin(origin, allowed)).toBe(answer);
	});
});

describe("who asks behind proxies", () => {
	const clients = new ClientAddress(["10.0.0.0/8", "::1", "2001:db8::/32"]);

	it.each([
		["1.2.3.4", "9.9.9.9", "1.2.3.4"],
		["10.0.0.1", "9.9.9.9", "9.9.9.9"],
		["::ffff:10.0.0.1", "9.9.9.9", "9.9.9.9"],
		["10.0.0.1", "6.6.6.6, 9.9.9.9, 10.2.3.4", "9.9.9.9"],
		["10.0.0.1", "10.2.3.4", "10.2.3.4"],
		["::1", "2001:db8::1, fe80::1", "fe80::1"],
		["10.0.0.1", "9.9.9.9, unknown", "10.0.0.1"],
		["10.0.0.1", "9.9.9.9, unknown, 10.1.1.1", "10.1.1.1"],
		["10.0.0.1", "", "10.0.0.1"],
		["", "9.9.9.9", ""],
	])("%s with %j is %s", (peer, forwardedFor, client) => {
		expect(clients.of(peer, forwardedFor)).toBe(client);
	});

	it("is the connection where no proxy is trusted", () => {
		expect(new ClientAddress([]).of("127.0.0.1", "9.9.9.9")).toBe("127.0.0.1");
	});
});
