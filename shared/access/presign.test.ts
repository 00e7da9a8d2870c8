import { createHash, createHmac } from "node:crypto";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it, vi } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createPresigner, type Hashes, MAX_PRESIGN_SECONDS, type PresignerOptions } from "./presign.ts";

const hashes: Hashes = {
	hmac: (key, text) => createHmac("sha256", key).update(text).digest(),
	sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
};

const DATE = Date.UTC(2026, 4, 24, 0, 0, 0);

function options(more: Partial<PresignerOptions> = {}): PresignerOptions {
	return {
		endpoint: "https://s3.us-east-1.amazonaws.com",
		region: "us-east-1",
		bucket: "examplebucket",
		prefix: "",
		pathStyle: false,
		accessKeyId: "AKIAIOSFODNN7EXAMPLE",
		secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		hashes,
		clock: new FakeClock(DATE),
		...more,
	};
}

describe("presigned URLs", () => {
	it("agree with the example of AWS's own documentation", () => {
		// "Authenticating Requests: Using Query Parameters", GET of test.txt, valid for 86,400 seconds.
		const presign = createPresigner(
			options({ endpoint: "https://s3.amazonaws.com", clock: new FakeClock(Date.UTC(2013, 4, 24)) }),
		);
		expect(presign("test.txt", 86_400 - 30)).toBe(
			"https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256" +
				"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z" +
				"&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
				"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
		);
	});

	it.each([
		{ what: "virtual-host style", more: {} },
		{
			what: "path style on another endpoint",
			more: { endpoint: "http://127.0.0.1:9000/cdn-cgi/local/r2/s3", pathStyle: true, region: "auto" },
		},
		{ what: "a session token", more: { sessionToken: "FwoGZXIvYXdzE/+==" } },
		{ what: "a prefix", more: { prefix: "live/eu" } },
	])("agree with the AWS SDK: $what", async ({ more }) => {
		const given = options(more);
		const presign = createPresigner(given);
		const client = new S3Client({
			region: given.region,
			endpoint: given.endpoint,
			forcePathStyle: given.pathStyle,
			credentials: {
				accessKeyId: given.accessKeyId,
				secretAccessKey: given.secretAccessKey,
				...(given.sessionToken ? { sessionToken: given.sessionToken } : {}),
			},
			requestChecksumCalculation: "WHEN_REQUIRED",
			responseChecksumValidation: "WHEN_REQUIRED",
		});
		for (const key of ["streams/site~cam01/media/000000000001-000000000002-v0.m4s", "a b+c/ä!'()*.mp4"]) {
			const command = new GetObjectCommand({
				Bucket: given.bucket,
				Key: given.prefix === "" ? key : `${given.prefix}/${key}`,
			});
			const theirs = new URL(await getSignedUrl(client, command, { expiresIn: 330, signingDate: new Date(DATE) }));
			const ours = new URL(presign(key, 300));
			theirs.searchParams.delete("x-id");
			if (theirs.searchParams.has("x-amz-checksum-mode")) throw new Error("The SDK signs a header that we do not");
			expect(ours.origin + ours.pathname).toBe(theirs.origin + theirs.pathname);
			for (const name of [
				"X-Amz-Algorithm",
				"X-Amz-Credential",
				"X-Amz-Date",
				"X-Amz-Expires",
				"X-Amz-SignedHeaders",
				"X-Amz-Security-Token",
			]) {
				expect(ours.searchParams.get(name), name).toBe(theirs.searchParams.get(name));
			}
		}
		client.destroy();
	});

	it("are the same for half a minute, computed once, and live as long as asked for in any case", async () => {
		const clock = new FakeClock(DATE);
		const hmac = vi.fn(hashes.hmac);
		const presign = createPresigner(options({ clock, hashes: { ...hashes, hmac } }));
		const first = presign("a", 60);
		await clock.advance(29_000);
		expect(presign("a", 60)).toBe(first);
		expect(hmac).toHaveBeenCalledTimes(5);
		await clock.advance(1_000);
		expect(presign("a", 60)).not.toBe(first);
		expect(hmac).toHaveBeenCalledTimes(6);
		expect(new URL(first).searchParams.get("X-Amz-Expires")).toBe("90");
	});

	it("take a new signing key each day", async () => {
		const clock = new FakeClock(DATE);
		const presign = createPresigner(options({ clock }));
		presign("a", 60);
		await clock.advance(86_400_000);
		expect(presign("a", 60)).toContain("20260525%2F");
	});

	it("never live longer than S3 allows", () => {
		expect(createPresigner(options())("a", 1e9)).toContain(`X-Amz-Expires=${MAX_PRESIGN_SECONDS}&`);
	});
});
