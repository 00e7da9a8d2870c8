import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settingsSchema } from "#shared/config/settings.ts";
import { InputError } from "#shared/problem.ts";
import { redacted, withSecretsOf } from "../../media-node/api/secrets-in-settings.ts";
import { patchedSettings } from "../../media-node/api/settings-patch.ts";
import { ClientAddress } from "../../media-node/http/client-address.ts";
import { allowedOrigin } from "../../media-node/http/cors.ts";
import { httpCredentials } from "../../media-node/http/http-credentials.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_123);

const settings = settingsSchema.parse({
	authInternalUsers: [{ user: "ann", pass: "hunter22", permissions: [] }],
	paths: { cam: { source: "rtsp://u:hunter22@h/x", forward: [{ dest: "rtmp://h/a#hunter22" }] } },
});

/** Pieces that URLs with secrets are made of. */
const urlText = fc
	.array(
		fc.constantFrom(
			"rtsp://",
			"srt://",
			"u",
			":",
			"pw",
			"@",
			"h",
			"/",
			"?",
			"&",
			"pass=",
			"streamid=",
			"#",
			" ",
			"<redacted>",
			"|",
			"=",
			"'",
		),
	)
	.map((parts) => parts.join(""));

const key = fc.oneof(
	fc.constantFrom(
		...Object.keys(settingsSchema.shape),
		"name",
		"source",
		"forward",
		"runOnReady",
		"publishUser",
		"__proto__",
	),
	fc.string({ maxLength: 5 }),
);
const value = fc.oneof(fc.jsonValue({ maxDepth: 4 }), urlText, fc.constantFrom("<redacted>", "10s", true, null));
const body = fc.dictionary(key, value, { maxKeys: 5 });

describe("what strangers send to the control API", () => {
	it("makes settings that are right, or is told what is wrong with it, and shows no secret", () => {
		const patch = fc.oneof(
			body.map((global) => ({ global })),
			body.map((pathDefaults) => ({ pathDefaults })),
			fc.tuple(fc.oneof(fc.constant("cam"), fc.string()), body, fc.boolean()).map(([name, says, instead]) => ({
				path: { name, says, instead },
			})),
		);
		fc.assert(
			fc.property(patch, (change) => {
				try {
					const next = patchedSettings(settings, change);
					expect(settingsSchema.safeParse(next).success).toBe(true);
					expect(JSON.stringify(redacted(next))).not.toContain("hunter22");
				} catch (error) {
					if (!(error instanceof InputError)) throw error;
					expect(error.message).not.toContain("hunter22");
				}
			}),
			{ seed, numRuns: 500 },
		);
	});

	it("gets back what it hid", () => {
		fc.assert(
			fc.property(
				urlText.filter((text) => !text.includes("<redacted>")),
				(source) => {
					const shown = redacted({ source });
					expect(withSecretsOf(shown, { source })).toEqual({ source });
					expect(redacted(shown)).toEqual(shown);
				},
			),
			{ seed, numRuns: 2_000 },
		);
	});

	it("is read without a crash, whatever its headers hold", () => {
		const clients = new ClientAddress(["127.0.0.0/8"]);
		fc.assert(
			fc.property(
				fc.string(),
				fc.oneof(fc.string(), fc.webUrl()),
				fc.array(fc.oneof(fc.webUrl(), fc.string())),
				(a, b, list) => {
					expect(Object.keys(httpCredentials(a))).toHaveLength(3);
					expect(httpCredentials(`Basic ${Buffer.from(a).toString("base64")}`).token).toBe("");
					expect([null, "*", b]).toContain(allowedOrigin(b, [...list, "*"]));
					expect(typeof clients.of("127.0.0.1", list.join(","))).toBe("string");
				},
			),
			{ seed, numRuns: 500 },
		);
	});
});
