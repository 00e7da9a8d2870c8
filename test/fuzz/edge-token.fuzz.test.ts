import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAccessDocument } from "#shared/access/access-document.ts";
import { edgeFunctionSource } from "#shared/access/edge-function.ts";
import { type EdgeKey, edgePayload, issueEdgeToken, verifyEdgeToken } from "#shared/access/edge-token.ts";
import { isInRange, parseIp, parseIpRange } from "#shared/access/ip-range.ts";
import { assertLimits, tokenLimitsSchema } from "#shared/access/token-limits.ts";
import { DeniedError, StoreError } from "#shared/problem.ts";
import { FakeClock } from "../support/fake-clock.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const nowMs = Date.UTC(2026, 0, 1);
const clock = new FakeClock(nowMs);
const keys: readonly EdgeKey[] = [
	{ kid: "00000001", secret: "a".repeat(64) },
	{ kid: "00000002", secret: "b".repeat(64) },
];

type Answer = { statusCode?: number; body?: { data: string } };

/** The function of the CDN: the code of what it answers, or `ok`. */
const atEdge = (() => {
	const template = readFileSync(new URL("../../infra/edge/verify-token.js", import.meta.url), "utf8");
	const context = createContext({ require: () => ({ createHash, createHmac }), Buffer, nowMs });
	runInContext("Date.now = () => nowMs;", context);
	runInContext(edgeFunctionSource(template, { keys, playlists: "shared" }), context);
	return (token: string, path: string, ip: string, referrer: string): string => {
		const headers = { "cloudfront-viewer-country": { value: "DE" }, referer: { value: referrer } };
		const request = { method: "GET", uri: `/${token}/${path}/index.m3u8`, querystring: {}, headers };
		Object.assign(context, { event: { viewer: { ip }, request } });
		const answer = runInContext("handler(event)", context) as Answer;
		return answer.statusCode === undefined ? "ok" : (JSON.parse(answer.body?.data ?? "{}") as { code: string }).code;
	};
})();

async function atOrigin(token: string, path: string, ip: string, referrer: string): Promise<string> {
	try {
		const claims = await verifyEdgeToken(keys, token, clock);
		if (!claims.paths.includes(path)) return "access.forbidden";
		assertLimits(claims.limits, { ip, country: "DE", referrer });
		return "ok";
	} catch (error) {
		if (error instanceof DeniedError) return error.code;
		throw error;
	}
}

const address = fc.oneof(
	fc.ipV4(),
	fc.ipV6(),
	fc.constantFrom("", "::", "::1", "::ffff:10.0.0.1", "10.0.0.1"),
	fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF:."), maxLength: 46 }),
);
const range = fc
	.tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("::ffff:10.0.0.0", "10.0.0.0")), fc.nat(128))
	.map(([ip, bits]) => (ip.includes(":") ? `${ip}/${bits}` : `${ip}/${bits % 33}`));
const referrer = fc.oneof(
	fc.webUrl(),
	fc.string(),
	fc.constantFrom("https://a.example/", "HTTPS://x.A.example:80?x", "https://a.example@b.example/", ""),
);
const limits = fc
	.record(
		{
			ips: fc.array(range, { minLength: 1, maxLength: 3 }),
			countries: fc.constantFrom(["DE"], ["AT", "DE"], ["AT"]),
			referrers: fc.constantFrom(["a.example"], ["*.example"], ["*.a.example:80", "b.example"]),
		},
		{ requiredKeys: [] },
	)
	.filter((value) => tokenLimitsSchema.safeParse(value).success);

describe("edge tokens and what is near them", () => {
	it("are judged alike by the function of the CDN and by the others, whoever asks", async () => {
		let isGood = 0;
		await fc.assert(
			fc.asyncProperty(limits, address, referrer, fc.nat(1), fc.boolean(), async (given, ip, from, key, isOver) => {
				const claims = {
					tokenId: "i",
					subject: "",
					issuedMs: nowMs,
					expiresMs: nowMs + (isOver ? 0 : 60_000),
					paths: ["a", "b/c"],
					limits: given,
				};
				const token = await issueEdgeToken([keys[key] as EdgeKey], claims);
				const answer = await atOrigin(token, "b/c", ip, from);
				if (answer === "ok") isGood++;
				expect(atEdge(token, "b/c", ip, from)).toBe(answer);
			}),
			{ seed, numRuns: 2000 },
		);
		expect(isGood).toBeGreaterThan(50);
	});

	it("are refused alike with any change, and never crash who looks at them", async () => {
		const expiresMs = nowMs + 60_000;
		const token = await issueEdgeToken(keys, {
			tokenId: "i",
			subject: "ü",
			issuedMs: 0,
			expiresMs,
			paths: ["a"],
			limits: {},
		});
		const text = fc.string({ unit: fc.constantFrom(..."ABCZabcz0189-_.e1=+%"), maxLength: 8 });
		await fc.assert(
			fc.asyncProperty(fc.nat(token.length), fc.nat(10), text, async (at, length, put) => {
				const changed = token.slice(0, at) + put + token.slice(at + length);
				fc.pre(changed !== token && changed.startsWith("e1."));
				expect(await atOrigin(changed, "a", "", "")).toBe("access.token_invalid");
				expect(atEdge(changed, "a", "", "")).toBe("access.token_invalid");
				edgePayload(changed);
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it("have networks that hold their own address, and nothing that is no address", () => {
		fc.assert(
			fc.property(range, address, (text, ip) => {
				const parsed = parseIpRange(text);
				if (parsed === null) return;
				expect(isInRange(parsed, text.split("/")[0] ?? "")).toBe(true);
				if (parseIp(ip) === null) expect(isInRange(parsed, ip)).toBe(false);
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it("stand beside a document that is read, or refused as damaged", () => {
		const entry = fc.record({
			kind: fc.constantFrom("token", "path", "x"),
			value: fc.string(),
			atMs: fc.double(),
			expiresMs: fc.double(),
		});
		const document = fc.record({ keys: fc.array(fc.jsonValue()), revocations: fc.array(entry) }, { requiredKeys: [] });
		fc.assert(
			fc.property(
				fc.oneof(
					fc.string(),
					fc.json(),
					document.map((value) => JSON.stringify(value)),
				),
				(text) => {
					try {
						parseAccessDocument(text);
					} catch (error) {
						if (!(error instanceof StoreError)) throw error;
					}
				},
			),
			{ seed, numRuns: 2000 },
		);
	});
});
