import { describe, expect, it } from "vitest";
import { viewerOfCloudflare, viewerOfLambda, viewerOfNode } from "./viewer.ts";

const request = (headers: Record<string, string>) => new Request("http://functions.test/", { headers });
/** What a viewer could send to be taken for somebody else. */
const forged = request({
	"cf-connecting-ip": "10.0.0.1",
	"cf-ipcountry": "DE",
	"cloudfront-viewer-address": "10.0.0.1:1",
	"cloudfront-viewer-country": "DE",
	"x-forwarded-for": "10.0.0.1",
});
const event = { event: { requestContext: { http: { sourceIp: "203.0.113.9" } } } };
const bindings = { incoming: { socket: { remoteAddress: "::ffff:192.0.2.1" } } };

describe("who asks", () => {
	it("is told by Cloudflare, but for countries that are not known", () => {
		const headers = { "cf-connecting-ip": "2001:db8::1", "cf-ipcountry": "DE", referer: "https://example.com/" };
		expect(viewerOfCloudflare(request(headers), undefined)).toEqual({
			ip: "2001:db8::1",
			country: "DE",
			referrer: "https://example.com/",
		});
		for (const country of ["XX", "T1", "de", ""])
			expect(viewerOfCloudflare(request({ "cf-ipcountry": country }), undefined).country).toBeNull();
	});

	it.each([
		["198.51.100.10:46532", "198.51.100.10"],
		["[2001:db8::1]:46532", "2001:db8::1"],
		["2001:db8:0:0:0:0:0:1:46532", "2001:db8:0:0:0:0:0:1"],
	])("is told by CloudFront, where nobody else can call: %s", (address, ip) => {
		const headers = { "cloudfront-viewer-address": address, "cloudfront-viewer-country": "AT" };
		expect(viewerOfLambda(true)(request(headers), event)).toEqual({ ip, country: "AT", referrer: null });
		expect(viewerOfLambda(true)(request({}), event)).toEqual({ ip: null, country: null, referrer: null });
	});

	it("is who calls the function's own address, whatever they say", () => {
		expect(viewerOfLambda(false)(forged, event)).toEqual({ ip: "203.0.113.9", country: null, referrer: null });
		expect(viewerOfLambda(false)(forged, undefined).ip).toBeNull();
	});

	it("is at the other end of the socket, whatever they say", () => {
		expect(viewerOfNode(forged, bindings)).toEqual({ ip: "192.0.2.1", country: null, referrer: null });
		expect(viewerOfNode(forged, undefined).ip).toBeNull();
	});
});
