import { describe, expect, it } from "vitest";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { InputError } from "#shared/problem.ts";
import { redacted, withSecretsOf } from "./secrets-in-settings.ts";

describe("secrets in settings", () => {
	it.each([
		["rtsp://u:pw@host:554/x", "rtsp://u:<redacted>@host:554/x"],
		["rtsp://u:p%40w:x@host/x?a=b", "rtsp://u:<redacted>@host/x?a=b"],
		["rtsps+ws://u:p@w@host", "rtsps+ws://u:<redacted>@host"],
		["srt://h:1?streamid=publish:p:u:pw&passphrase=0123456789", "srt://h:1?streamid=<redacted>&passphrase=<redacted>"],
		["srt://h:1?streamid=#!::m=publish,r=x", "srt://h:1?streamid=#<redacted>"],
		["srt://h:1?streamid=read:p&latency=20", "srt://h:1?streamid=read:p&latency=20"],
		["rtmp://h/app?user=u&pass=pw&x=1#key", "rtmp://h/app?user=u&pass=<redacted>&x=1#<redacted>"],
		["rtsp://h/user=admin&password=pw&x=0.sdp", "rtsp://h/user=admin&password=<redacted>&x=0.sdp"],
		["rtsp://h/cam?user=admin&passwd=pw", "rtsp://h/cam?user=admin&passwd=<redacted>"],
		["whip://tok@h/x", "whip://<redacted>@h/x"],
		["https://auth/?token=t&TOKEN=u&empty=", "https://auth/?token=<redacted>&TOKEN=<redacted>&empty="],
		[
			"ffmpeg -i 'rtsp://a:b@h/x' -f flv rtmp://h/y#k",
			"ffmpeg -i 'rtsp://a:<redacted>@h/x' -f flv rtmp://h/y#<redacted>",
		],
		["tee a://u:1@h/x|b://u:2@h/y", "tee a://u:<redacted>@h/x|b://u:<redacted>@h/y"],
		["rtsp://host/a@b", "rtsp://host/a@b"],
		["rtsp://u:@host/", "rtsp://u:@host/"],
		["publisher", "publisher"],
		["", ""],
	])("are hidden in %s, and put back", (text, shown) => {
		expect(redacted({ source: text })).toEqual({ source: shown });
		expect(withSecretsOf({ source: shown }, { source: text })).toEqual({ source: text });
	});

	it("are the whole value of keys that say so", () => {
		const keys = [...Object.keys(settingsSchema.shape), ...Object.keys(pathConfigSchema.shape)];
		const texts = Object.fromEntries(keys.map((key) => [key, "value"]));
		const hidden = Object.entries(redacted(texts)).filter(([, value]) => value !== "value");
		expect(hidden.map(([key]) => key).sort()).toEqual([
			"hlsCDNSecret",
			"srtPublishPassphrase",
			"srtReadPassphrase",
			"whepBearerToken",
		]);
		expect(redacted({ pass: "x", password: "y", whipBearerToken: "z", user: "u" })).toEqual({
			pass: "<redacted>",
			password: "<redacted>",
			whipBearerToken: "<redacted>",
			user: "u",
		});
		expect(redacted({ pass: "", password: "" })).toEqual({ pass: "", password: "" });
	});

	it("are put back by destination and by URL, wherever they stand now", () => {
		const before = {
			forward: [
				{ dest: "rtmp://a/x#one", whipBearerToken: "" },
				{ dest: "whip://b/y", whipBearerToken: "two" },
			],
			source: ["rtsp://u:1@a/x", "rtsp://u:2@b/x"],
		};
		const shown = redacted(before);
		const moved = { forward: shown.forward.toReversed(), source: shown.source.toReversed() };
		expect(withSecretsOf(moved, before)).toEqual({
			forward: before.forward.toReversed(),
			source: before.source.toReversed(),
		});
	});

	it.each([
		[{ source: "rtsp://u:<redacted>@h" }, {}],
		[{ source: "rtsp://u:<redacted>@h" }, { source: "publisher" }],
		[{ source: "rtmp://h#<redacted>" }, { source: "rtsp://u:pw@h" }],
		[{ pass: "<redacted>" }, { pass: "" }],
		[{ pass: "x<redacted>" }, { pass: "y" }],
		[{ users: [{ user: "b", pass: "<redacted>" }] }, { users: [{ user: "a", pass: "x" }] }],
		[{ list: ["a://u:<redacted>@h"] }, { list: "nonsense" }],
		[{ toString: "<redacted>" }, {}],
	])("are missed where there are none: %j", (next, before) => {
		expect(() => withSecretsOf(next, before)).toThrow(InputError);
		expect(() => withSecretsOf(next, before)).toThrow(/holds <redacted>/);
	});

	it("are looked for in long texts in no time", () => {
		const texts = [
			"a".repeat(60_000),
			"a://".repeat(15_000),
			`a://${"@:".repeat(30_000)}`,
			`a://b?${"a=b&".repeat(15_000)}`,
		];
		const start = performance.now();
		for (const text of texts) redacted({ source: `${text} a://b` });
		expect(performance.now() - start).toBeLessThan(1_000);
	});
});
