import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { baseUrlOf, controlUrlOf, parseSourceUrl, redirectedUrl } from "./source-url.ts";

describe("the URL of a source", () => {
	it("tells where to connect, who to be, and what to ask for", () => {
		expect(parseSourceUrl("rtsp://admin:p%40ss@cam.local:8554/h264?channel=1&x=a/b#frag")).toEqual({
			isTls: false,
			tunnel: "none",
			host: "cam.local",
			port: 8554,
			user: "admin",
			password: "p@ss",
			requestUrl: "rtsp://cam.local:8554/h264?channel=1&x=a/b",
		});
	});

	it.each([
		["rtsp://h/x", false, "none", 554, "rtsp://h/x"],
		["RTSPS://h", true, "none", 322, "rtsps://h/"],
		["rtsp+http://h/x", false, "http", 80, "rtsp://h/x"],
		["rtsps+http://h/x", true, "http", 443, "rtsps://h/x"],
		["rtsp+ws://h:81/x", false, "websocket", 81, "rtsp://h:81/x"],
		["rtsp://[fe80::1]:9/x", false, "none", 9, "rtsp://[fe80::1]:9/x"],
	])("%s has its scheme's port and carrier", (text, isTls, tunnel, port, requestUrl) => {
		expect(parseSourceUrl(text)).toMatchObject({ isTls, tunnel, port, requestUrl });
	});

	it("takes a password with an at sign, a colon or a percent sign of its own", () => {
		expect(parseSourceUrl("rtsp://a:b:c@d@h/")).toMatchObject({ user: "a", password: "b:c@d", host: "h" });
		expect(parseSourceUrl("rtsp://a:100%@h/")).toMatchObject({ password: "100%" });
	});

	it.each([
		"",
		"rtsp://",
		"rtsp:///x",
		"http://h/x",
		"rtsp://h:0/",
		"rtsp://h:65536/",
		"rtsp://h/a b",
		"rtsp://h/a\r\nX: y",
		"rtsp://[::1/",
		`rtsp://h/${"x".repeat(9000)}`,
	])("is refused when it is none, without showing it: %j", (text) => {
		expect(() => parseSourceUrl(text)).toThrow(InputError);
		expect(() => parseSourceUrl(`${text.replace("//", "//u:secret@")} `.concat("\0"))).not.toThrow(/secret/);
	});
});

describe("a redirect", () => {
	const from = parseSourceUrl("rtsp://u:p@cam:8554/a");

	it("keeps the credentials with the same host only", () => {
		expect(redirectedUrl(from, "rtsp://CAM:9554/b")).toMatchObject({ user: "u", password: "p", port: 9554 });
		expect(redirectedUrl(from, "rtsp://other/b")).toMatchObject({ user: "", password: "", port: 554 });
		expect(redirectedUrl(from, "rtsp://x:y@other/b")).toMatchObject({ user: "x", password: "y" });
	});

	it("may be relative", () => {
		expect(redirectedUrl(from, "/b?c=1")).toMatchObject({ requestUrl: "rtsp://cam:8554/b?c=1", port: 8554, user: "u" });
	});

	it("leads nowhere that is not RTSP, and to nothing less secure", () => {
		expect(redirectedUrl(from, "rtsp://")).toBeNull();
		expect(redirectedUrl(parseSourceUrl("rtsps://cam/a"), "rtsp://cam/a")).toBeNull();
	});

	it("stays in its tunnel", () => {
		const tunnel = parseSourceUrl("rtsp+http://cam:8080/a");
		expect(redirectedUrl(tunnel, "rtsp://cam:554/b")).toMatchObject({ tunnel: "http", port: 8080 });
		expect(redirectedUrl(tunnel, "rtsp://other/b")).toMatchObject({ tunnel: "none", port: 554 });
	});
});

describe("the URL of a media", () => {
	it.each([
		["rtsp://h/cam", "trackID=1", "rtsp://h/cam/trackID=1"],
		["rtsp://h/cam/", "trackID=1", "rtsp://h/cam/trackID=1"],
		["rtsp://h/cam", "/trackID=1", "rtsp://h/cam/trackID=1"],
		["rtsp://h/a/cam/", "/a/cam/trackID=1", "rtsp://h/a/cam/trackID=1"],
		["rtsp://h/cam?ch=1&s=0", "trackID=1", "rtsp://h/cam?ch=1&s=0/trackID=1"],
		["rtsp://h/cam", "?ctype=video", "rtsp://h/cam?ctype=video"],
		["rtsp://h/cam", "", "rtsp://h/cam"],
		["rtsp://h/cam", "*", "rtsp://h/cam"],
		["rtsp://h:8554/cam", "rtsp://10.0.0.4/cam/video?x=1", "rtsp://h:8554/cam/video?x=1"],
		["rtsp://h", "t", "rtsp://h/t"],
	])("of %s with the control %j is %s", (base, control, url) => {
		expect(controlUrlOf(base, control)).toBe(url);
	});

	it.each([
		[{}, "", "rtsp://h/cam?x=1"],
		[{}, "*", "rtsp://h/cam?x=1"],
		[{ contentBase: "rtsp://h/base/" }, "*", "rtsp://h/base/"],
		[{ contentBase: "/base/" }, "", "rtsp://h/base/"],
		[{ contentBase: "", contentLocation: "rtsp://h/location" }, "", "rtsp://h/location"],
		[{ contentBase: "http://h/" }, "", "rtsp://h/cam?x=1"],
		[{ contentBase: "rtsp://h/base/" }, "rtsp://h/session", "rtsp://h/session"],
		[{ contentBase: "rtsp://h/base/" }, "session", "rtsp://h/base/"],
	])("stands on the base of %j with the session's control %j: %s", (response, control, base) => {
		expect(baseUrlOf("rtsp://h/cam?x=1", response, control)).toBe(base);
	});
});
