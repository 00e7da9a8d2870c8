import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { permissionSchema } from "#shared/access/permission.ts";
import { generateSigningKey, publicJwks } from "#shared/access/signing-key.ts";
import { createTokenVerifier, issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { streamEventSchema } from "#shared/events/event.ts";
import { DeniedError, InputError } from "#shared/problem.ts";
import { assertWebhookUrl } from "../../functions/webhooks/url-guard.ts";
import { readConfig } from "../../media-node/config/read-config.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

/** What people and machines write, and what breaks it. */
const broken = (valid: string) =>
	fc
		.tuple(
			fc.nat(valid.length),
			fc.nat(20),
			fc.oneof(
				fc.string({ maxLength: 20 }),
				fc.constantFrom("", "\0", "\u{1F600}", "..", "{{", "&a *a", "\n- ", "😀".slice(0, 1)),
			),
		)
		.map(([at, length, put]) => valid.slice(0, at) + put + valid.slice(at + length));

describe("broken input of people and machines", () => {
	it("is a denied token, never a crash and never accepted", async () => {
		const keys = [await generateSigningKey()];
		const verifier = createTokenVerifier({ keys: publicJwks(keys), clock: systemClock });
		const token = await issueToken(
			keys,
			{ permissions: [{ action: "read", path: "a" }], subject: "", expiresMs: systemClock.now() + 600_000 },
			systemClock,
		);
		await fc.assert(
			fc.asyncProperty(broken(token), async (text) => {
				fc.pre(text !== token && text.slice(0, -1) !== token.slice(0, -1));
				await expect(verifier.verify(text)).rejects.toThrow(DeniedError);
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it("is a configuration with faults that have a place, or one that is right", () => {
		const valid =
			"logLevel: info\nrtspTransports: [tcp, udp]\nauthInternalUsers:\n  - user: any\n    ips: [127.0.0.1]\n    permissions: [{ action: read, path: ~^a }]\npaths:\n  cam01: { hlsRetention: 1h }\n  all_others:\n";
		fc.assert(
			fc.property(broken(valid), (text) => {
				try {
					readConfig(text, { file: "f.yml" });
				} catch (error) {
					if (!(error instanceof InputError)) throw error;
					expect(error.message).toMatch(/^f\.yml:\d+:\d+: /);
				}
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it("is refused by schemas without a crash: permissions, events, webhook addresses", () => {
		fc.assert(
			fc.property(fc.anything(), fc.webUrl(), fc.string(), (value, url, text) => {
				permissionSchema.safeParse(value);
				permissionSchema.safeParse({ action: "read", path: `~${text}` });
				streamEventSchema.safeParse(value);
				for (const address of [url, text, `https://${text}`]) {
					try {
						assertWebhookUrl(address, false);
					} catch (error) {
						if (!(error instanceof InputError)) throw error;
					}
				}
			}),
			{ seed, numRuns: 2000 },
		);
	});
});
