import { describe, expect, it } from "vitest";
import { hasSecret, masked, maskedText } from "./secret.ts";

describe("a secret in a setting", () => {
	it.each([
		["rtsp://admin:pa55@10.0.0.7:554/cam", "rtsp://admin:••••••@10.0.0.7:554/cam"],
		["rtsp://admin:p@ss@10.0.0.7/cam", "rtsp://admin:••••••@10.0.0.7/cam"],
		["rtsp+http://u:p@host", "rtsp+http://u:••••••@host"],
		["wheps://host/whep?token=abc&x=1", "wheps://host/whep?token=••••••&x=1"],
		["srt://host:8890?streamid=read:cam&passphrase=0123456789", "srt://host:8890?streamid=read:cam&passphrase=••••••"],
		["rtsp://host/user=admin&password=x1&channel=1", "rtsp://host/user=admin&password=••••••&channel=1"],
		["rtsp://host/cam?user=admin&pwd=x1", "rtsp://host/cam?user=admin&pwd=••••••"],
	])("%s is shown as %s", (url, shown) => {
		expect(maskedText("source", url)).toBe(shown);
		expect(hasSecret("source", url)).toBe(true);
	});

	it.each([
		"publisher",
		"",
		"rtsp://host:554/a@b",
		"rtsp://user@host/cam",
		"/another/path",
		"udp+mpegts://238.0.0.1:1234",
	])("is not in %j", (url) => {
		expect(maskedText("source", url)).toBe(url);
		expect(hasSecret("source", url)).toBe(false);
	});

	it("is the whole of a passphrase and of a bearer token, but for an empty one", () => {
		expect(maskedText("srtReadPassphrase", "0123456789")).toBe("••••••");
		expect(maskedText("srtReadPassphrase", "")).toBe("");
		expect(maskedText("fallback", "0123456789")).toBe("0123456789");
	});

	it("is masked in lists and objects, which stay as they are", () => {
		const config = {
			forward: [{ dest: "rtsp://u:p@h/x", whipBearerToken: "abc" }],
			source: ["rtsp://u:p@h", "publisher"],
			hls: true,
		};
		expect(masked("", config)).toEqual({
			forward: [{ dest: "rtsp://u:••••••@h/x", whipBearerToken: "••••••" }],
			source: ["rtsp://u:••••••@h", "publisher"],
			hls: true,
		});
		expect(config.forward[0]?.whipBearerToken).toBe("abc");
	});
});
