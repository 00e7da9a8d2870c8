import { describe, expect, test } from "vitest";
import { authorityOf, rtmpFields, withCredential } from "./media-address.ts";

describe("withCredential", () => {
	test("puts the credential into the query", () => {
		expect(withCredential("rtsp://example.com:8554/site/cam01", "kabc")).toBe(
			"rtsp://example.com:8554/site/cam01?token=kabc",
		);
	});

	test("adds to a query that is there, before a fragment", () => {
		expect(withCredential("https://h/cam/whep?x=1#top", "k")).toBe("https://h/cam/whep?x=1&token=k#top");
	});

	test("encodes what would end the value", () => {
		expect(withCredential("rtsp://h/cam", "a&b=c#d e+/%")).toBe("rtsp://h/cam?token=a%26b%3Dc%23d%20e%2B%2F%25");
		expect(new URL(withCredential("http://h/cam", "a&b=c#d e+/%")).searchParams.get("token")).toBe("a&b=c#d e+/%");
	});

	test("keeps an IPv6 host", () => {
		expect(withCredential("rtsp://[2001:db8::1]:8554/cam", "k")).toBe("rtsp://[2001:db8::1]:8554/cam?token=k");
	});

	test("extends the stream id of SRT", () => {
		expect(withCredential("srt://[::1]:8890?streamid=publish:site/cam&latency=200", "k$1")).toBe(
			"srt://[::1]:8890?streamid=publish:site/cam:key:k%241&latency=200",
		);
	});

	test("changes nothing without a credential", () => {
		expect(withCredential("rtsp://h/cam", "")).toBe("rtsp://h/cam");
	});
});

test("rtmpFields parts the server from the stream key, as encoders ask for them", () => {
	expect(rtmpFields("rtmp://[::1]:1935/site/cam", "k=")).toEqual({
		server: "rtmp://[::1]:1935",
		streamKey: "site/cam?token=k%3D",
	});
});

test("authorityOf leaves out the user", () => {
	expect(authorityOf("rtsp://me:secret@[::1]:8554/cam?x=a@b/c")).toBe("[::1]:8554");
	expect(authorityOf("nothing")).toBeNull();
});
