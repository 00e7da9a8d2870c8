import { describe, expect, it } from "vitest";
import { parseBucketLocation } from "../store/bucket-location.ts";
import { costOf } from "./cost.ts";
import { noDay } from "./fold.ts";
import { PROVIDERS, pricesOf, providerOf } from "./price-table.ts";

describe("what usage costs", () => {
	it("is, of a camera that is live for a month in segments of 4 s, what the requests of the cloud cost", () => {
		// Two PUT a segment: the segment and its commit. 900 segments an hour, 730 hours.
		const usage = { ...noDay(), puts: 2 * 900 * 730 };
		expect(costOf(usage, pricesOf("aws")).requests).toBeCloseTo(6.57, 2);
		expect(costOf(usage, pricesOf("cloudflare")).requests).toBeCloseTo(5.913, 2);
	});

	it("is, of an hour at 4 Mbit/s to one viewer, $0.153 by CloudFront's gigabytes of 2^30, and nothing by R2", () => {
		const usage = { ...noDay(), bytesServed: 1.8e9 };
		expect(costOf(usage, pricesOf("aws")).egress).toBeCloseTo((1.8e9 / 2 ** 30) * 0.085, 6);
		expect(costOf(usage, pricesOf("cloudflare")).egress).toBe(0);
		expect(costOf({ ...noDay(), bytesToReaders: 2 ** 30 }, pricesOf("aws")).egress).toBeCloseTo(0.09, 6);
	});

	it("is, of a terabyte for a month, what the lists say", () => {
		expect(costOf({ ...noDay(), byteHours: 1e12 * 730 }, pricesOf("cloudflare")).storage).toBeCloseTo(15, 6);
		expect(costOf({ ...noDay(), byteHours: 1024 ** 4 * 730 }, pricesOf("aws")).storage).toBeCloseTo(23.552, 6);
	});

	it("is the sum of its parts, and nothing where nobody asks for anything", () => {
		const usage = { ...noDay(), puts: 1e6, gets: 1e6, segments: 1e6, byteHours: 1e15, bytesServed: 1e12 };
		for (const provider of PROVIDERS) {
			const { requests, storage, egress, total } = costOf(usage, pricesOf(provider));
			expect(total).toBeCloseTo(requests + storage + egress, 9);
		}
		expect(costOf(usage, pricesOf("none")).total).toBe(0);
		expect(costOf(usage, pricesOf("aws")).requests).toBeCloseTo(5 + 0.4 + 1.2, 9);
	});
});

describe("whose prices count", () => {
	it.each([
		["s3://bucket", "aws"],
		["s3://bucket?endpoint=https://s3.eu-west-1.amazonaws.com", "aws"],
		["s3://bucket?endpoint=https://abc.r2.cloudflarestorage.com", "cloudflare"],
		["s3://bucket?endpoint=http://minio:9000", "none"],
		["/data/bucket", "none"],
	])("tells the bucket %s: %s", (location, provider) => {
		expect(providerOf(undefined, parseBucketLocation(location))).toBe(provider);
	});

	it("says the setting before that, if there is such a provider", () => {
		expect(providerOf("cloudflare", parseBucketLocation("/data/bucket"))).toBe("cloudflare");
		expect(() => providerOf("azure", parseBucketLocation("/data/bucket"))).toThrow("aws, cloudflare, none");
	});
});
