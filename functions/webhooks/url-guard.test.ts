import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { assertWebhookUrl, isPublicAddress } from "./url-guard.ts";

describe("where webhooks may go", () => {
	it.each([
		"https://example.com/hook",
		"https://hooks.example.co.uk:8443/a?b=c",
		"https://8.8.8.8/",
		"https://[2606:4700::1111]/",
		"https://xn--bcher-kva.example/",
	])("allows %s", (url) => {
		expect(assertWebhookUrl(url, false).href).toBe(new URL(url).href);
	});

	it.each([
		"http://example.com/",
		"ftp://example.com/",
		"file:///etc/passwd",
		"https://user:pass@example.com/",
		"not a url",
		`https://example.com/${"x".repeat(2048)}`,
		"https://localhost/",
		"https://localhost./",
		"https://foo.localhost/",
		"https://printer.local/",
		"https://metadata.google.internal/",
		"https://intranet/",
		"https://127.0.0.1/",
		"https://127.1/",
		"https://2130706433/",
		"https://0x7f000001/",
		"https://0177.0.0.1/",
		"https://127.0.0.1.",
		"https://0/",
		"https://10.0.0.1/",
		"https://100.64.0.1/",
		"https://169.254.169.254/latest/meta-data",
		"https://172.16.0.1/",
		"https://172.31.255.255/",
		"https://192.168.1.1/",
		"https://198.18.0.1/",
		"https://224.0.0.1/",
		"https://255.255.255.255/",
		"https://[::1]/",
		"https://[::]/",
		"https://[::ffff:127.0.0.1]/",
		"https://[::ffff:7f00:1]/",
		"https://[::127.0.0.1]/",
		"https://[64:ff9b::10.0.0.1]/",
		"https://[64:ff9b:1::1]/",
		"https://[2002:7f00:1::]/",
		"https://[2001::1]/",
		"https://[2001:db8::1]/",
		"https://[fc00::1]/",
		"https://[fd12:3456::1]/",
		"https://[fe80::1]/",
		"https://[ff02::1]/",
		"https://[3fff::1]/",
	])("refuses %s", (url) => expect(() => assertWebhookUrl(url, false)).toThrow(InputError));

	it("says which setting allows this machine, over http", () => {
		expect(() => assertWebhookUrl("http://127.0.0.1:9911/", false)).toThrow(/https:\/\/; .*webhookAllowInsecure/);
		expect(() => assertWebhookUrl("https://127.0.0.1:9911/", false)).toThrow(/private or local.*webhookAllowInsecure/);
		expect(() => assertWebhookUrl("ftp://example.com/", true)).toThrow(/must begin with https:\/\/ or http:\/\/$/);
	});

	it("allows this machine over http where the settings say so, and credentials nowhere", () => {
		expect(assertWebhookUrl("http://127.0.0.1:9000/x", true).port).toBe("9000");
		expect(() => assertWebhookUrl("http://user:pass@127.0.0.1/", true)).toThrow(InputError);
		expect(() => assertWebhookUrl("file:///etc/passwd", true)).toThrow(InputError);
	});

	it.each([
		["172.15.255.255", true],
		["172.32.0.0", true],
		["100.63.255.255", true],
		["100.128.0.0", true],
		["223.255.255.255", true],
		["1.2.3", false],
		["1.2.3.256", false],
		["::ffff:8.8.8.8", true],
		["64:ff9b::8.8.8.8", true],
		["2002:808:808::1", true],
		["2001:4860:4860::8888", true],
		["1:2:3:4:5:6:7", false],
		["1::2::3", false],
		["", false],
	])("says whether %s is a public address", (address, isPublic) => expect(isPublicAddress(address)).toBe(isPublic));

	it("never throws on anything", () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => typeof isPublicAddress(text) === "boolean"),
		);
	});
});
