import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { edgeKeysOf, edgeProof, isEdgeProof, issueEdgeToken, verifyEdgeToken } from "./edge-token.ts";
import { assertLimits } from "./token-limits.ts";

type Vector = {
	name: string;
	token: string;
	path: string;
	ip: string;
	country: string | null;
	referrer: string | null;
	expect: string;
};
const vectors = JSON.parse(readFileSync(new URL("../../test/vectors/edge-token.json", import.meta.url), "utf8")) as {
	nowMs: number;
	streamKeySecrets: string[];
	keys: { kid: string; secret: string }[];
	proofs: { pathname: string; kid: string; proof: string }[];
	cases: Vector[];
};

const clock = new FakeClock(vectors.nowMs);
const claims = {
	tokenId: "id",
	subject: "ana",
	issuedMs: vectors.nowMs,
	expiresMs: vectors.nowMs + 60_500,
	paths: ["site/cam01"],
	limits: { ips: ["10.0.0.0/8"], countries: ["DE"], referrers: ["*.example.com"] },
};

async function outcomeOf({ token, path, ip, country, referrer }: Vector): Promise<string> {
	try {
		const { paths, limits } = await verifyEdgeToken(vectors.keys, token, clock);
		if (!paths.includes(path)) return "access.forbidden";
		assertLimits(limits, { ip, country, referrer });
		return "ok";
	} catch (error) {
		return (error as { code: string }).code;
	}
}

describe("edge tokens", () => {
	it.each(vectors.cases)("by the vectors: $name", async (vector) => {
		expect(await outcomeOf(vector)).toBe(vector.expect);
	});

	it("have keys that are derived from the secrets of stream keys, in their order", async () => {
		expect(await edgeKeysOf(vectors.streamKeySecrets)).toEqual(vectors.keys);
	});

	it("say what they were made of, but for the fraction of a second of their expiry", async () => {
		const token = await issueEdgeToken(vectors.keys, claims);
		expect(await verifyEdgeToken(vectors.keys, token, clock)).toEqual({ ...claims, expiresMs: vectors.nowMs + 60_000 });
	});

	it("are refused with every single character changed, and cut at every length", async () => {
		const token = await issueEdgeToken(vectors.keys, claims);
		for (let i = 0; i < token.length; i++) {
			for (const bad of [token.slice(0, i), token.slice(0, i) + (token[i] === "A" ? "B" : "A") + token.slice(i + 1)]) {
				await expect(verifyEdgeToken(vectors.keys, bad, clock), bad).rejects.toMatchObject({
					code: "access.token_invalid",
				});
			}
		}
	});

	it("prove an address to the origin, and no other one", async () => {
		for (const { pathname, kid, proof } of vectors.proofs) {
			const key = vectors.keys.find((candidate) => candidate.kid === kid)!;
			expect(await edgeProof(key, pathname)).toBe(proof);
			expect(await isEdgeProof(vectors.keys, pathname, proof)).toBe(true);
			expect(await isEdgeProof(vectors.keys, `${pathname}x`, proof)).toBe(false);
			expect(await isEdgeProof([], pathname, proof)).toBe(false);
		}
		expect(await isEdgeProof(vectors.keys, "/edge/a/index.m3u8", "")).toBe(false);
	});
});
