import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeniedError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { isStreamKey, issueStreamKey, STREAM_KEY_LENGTH, verifyStreamKey } from "./stream-key.ts";

const secret = Buffer.alloc(32, 7).toString("base64url");
const newer = Buffer.alloc(32, 8).toString("base64url");
const use = { action: "publish" as const, path: "site/cam01" };
const clock = new FakeClock();

async function codeOf(promise: Promise<unknown>): Promise<string> {
	try {
		await promise;
		return "accepted";
	} catch (error) {
		if (error instanceof DeniedError) return error.code;
		throw error;
	}
}

describe("stream keys", () => {
	it("allow their one use until they expire", async () => {
		const expiresMs = clock.now() + 10_000;
		const key = await issueStreamKey([secret], use, expiresMs);
		expect(key).toHaveLength(STREAM_KEY_LENGTH);
		expect(await verifyStreamKey([secret], key, use, clock)).toBe(expiresMs);
		expect(await codeOf(verifyStreamKey([secret], key, { ...use, path: "site/cam02" }, clock))).toBe(
			"access.token_invalid",
		);
		expect(await codeOf(verifyStreamKey([secret], key, { ...use, action: "read" }, clock))).toBe(
			"access.token_invalid",
		);
		const later = new FakeClock(expiresMs);
		expect(await codeOf(verifyStreamKey([secret], key, use, later))).toBe("access.token_expired");
	});

	it("may never expire", async () => {
		const key = await issueStreamKey([secret], use, null);
		expect(await verifyStreamKey([secret], key, use, new FakeClock(Date.UTC(2100, 0, 1)))).toBeNull();
	});

	it("are verified by every secret and made with the first", async () => {
		const old = await issueStreamKey([secret], use, null);
		const fresh = await issueStreamKey([newer, secret], use, null);
		expect(await verifyStreamKey([newer, secret], old, use, clock)).toBeNull();
		expect(await codeOf(verifyStreamKey([secret], fresh, use, clock))).toBe("access.token_invalid");
	});

	it("are void with any character changed", async () => {
		const key = await issueStreamKey([secret], use, clock.now() + 60_000);
		for (let i = 0; i < key.length - 1; i++) {
			const changed = key.slice(0, i) + (key[i] === "a" ? "b" : "a") + key.slice(i + 1);
			expect(await codeOf(verifyStreamKey([secret], changed, use, clock)), `character ${i}`).toBe(
				"access.token_invalid",
			);
		}
	});

	it("are told apart from anything else without an exception", async () => {
		await fc.assert(
			fc.asyncProperty(fc.string(), async (text) => {
				expect(isStreamKey(text)).toBe(false);
				expect(await codeOf(verifyStreamKey([secret], text, use, clock))).toBe("access.token_invalid");
			}),
		);
	});

	it("refuse a secret that is too short to be one", async () => {
		await expect(issueStreamKey(["c2hvcnQ"], use, null)).rejects.toThrow(RangeError);
	});
});
