import { describe, expect, it } from "vitest";
import { revocationRequest } from "./revocation-request.ts";

describe("revocationRequest", () => {
	it("has the one thing that tokens are revoked by", () => {
		expect(revocationRequest("subject", " ana ")).toEqual({ subject: "ana" });
		expect(revocationRequest("path", "site/cam01")).toEqual({ path: "site/cam01" });
	});

	it("finds a token in its URL", () => {
		expect(revocationRequest("token", "https://live.example.com/a.b.c/cam01/index.m3u8")).toEqual({ token: "a.b.c" });
	});
});
