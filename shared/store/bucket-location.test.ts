import { describe, expect, it } from "vitest";
import * as z from "zod";
import { bucketLocationSchema, MAX_BUCKET_LOCATION_LENGTH, parseBucketLocation } from "./bucket-location.ts";

const s3 = { kind: "s3", bucket: "my-bucket", prefix: "", region: null, endpoint: null, pathStyle: false };

describe("parseBucketLocation", () => {
	it.each([
		["memory:", { kind: "memory" }],
		["file:./data/bucket", { kind: "folder", root: "./data/bucket" }],
		["file:data", { kind: "folder", root: "data" }],
		["file:/srv/bucket", { kind: "folder", root: "/srv/bucket" }],
		["file:///srv/my%20bucket", { kind: "folder", root: "/srv/my bucket" }],
		["file://localhost/srv", { kind: "folder", root: "/srv" }],
		["/srv/bucket", { kind: "folder", root: "/srv/bucket" }],
		["./data", { kind: "folder", root: "./data" }],
		["../data", { kind: "folder", root: "../data" }],
		["s3://my-bucket", s3],
		["s3://my-bucket/", s3],
		["s3://my-bucket/live/eu", { ...s3, prefix: "live/eu" }],
		["s3://my-bucket/live/", { ...s3, prefix: "live" }],
		["s3://my-bucket/a%20b", { ...s3, prefix: "a b" }],
		["s3://my-bucket?region=eu-central-1", { ...s3, region: "eu-central-1" }],
		[
			"s3://my-bucket/p?endpoint=https://abc.r2.cloudflarestorage.com&region=auto&pathStyle=true",
			{ ...s3, prefix: "p", region: "auto", endpoint: "https://abc.r2.cloudflarestorage.com", pathStyle: true },
		],
		[
			"s3://my-bucket?endpoint=http%3A%2F%2F127.0.0.1%3A9000%2Fs3&pathStyle=false",
			{ ...s3, endpoint: "http://127.0.0.1:9000/s3" },
		],
	])("reads %s", (text, location) => {
		expect(parseBucketLocation(text)).toEqual(location);
	});

	it.each([
		["", "a folder"],
		["data", "a folder"],
		["memory", "memory:"],
		["https://bucket.s3.amazonaws.com", "s3://bucket"],
		["file:", "names no folder"],
		["file://host/share", "file:///folder"],
		["file:///a%ZZ", "percent"],
		["file:///a%00", "NUL"],
		["/a\0b", "NUL"],
		["s3://", "bucket name"],
		["s3://Bucket", "bucket name"],
		["s3://ab", "bucket name"],
		["s3://a_b_c", "bucket name"],
		["s3://my-bucket:9000", "must be"],
		["s3://my-bucket#x", "must be"],
		["s3://my-bucket/a//b", "prefix"],
		["s3://my-bucket/%2e%2e%2fb", "prefix"],
		["s3://my-bucket/%00", "prefix"],
		["s3://my-bucket/%ZZ", "prefix"],
		[`s3://my-bucket/${"x/".repeat(150)}`, "prefix"],
		["s3://my-bucket?regoin=x", '"regoin"'],
		["s3://my-bucket?region=a&region=b", "more than one region"],
		["s3://my-bucket?region=EU West", "region"],
		["s3://my-bucket?pathStyle=yes", "true or false"],
		["s3://my-bucket?endpoint=ftp://x", "endpoint"],
		["s3://my-bucket?endpoint=x", "endpoint"],
		["s3://my-bucket?endpoint=https://x/?a=b", "unknown parameter|endpoint"],
		[`/${"x".repeat(MAX_BUCKET_LOCATION_LENGTH)}`, "longer"],
	])("refuses %j and says what is wrong", (text, fault) => {
		expect(() => parseBucketLocation(text)).toThrow(
			expect.objectContaining({ code: "config.invalid", message: expect.stringMatching(fault) }),
		);
	});

	it.each(["s3://AKIAID:hunter2@my-bucket", "s3://my-bucket?endpoint=https://id:hunter2@host", "hunter2@host"])(
		"does not repeat what could be a secret: %s",
		(text) => {
			expect(() => parseBucketLocation(text)).toThrow(
				expect.objectContaining({ code: "config.invalid", message: expect.not.stringContaining("hunter2") }),
			);
		},
	);
});

describe("bucketLocationSchema", () => {
	it("reads a field of a document, and says where a wrong one is", () => {
		const schema = z.object({ bucket: bucketLocationSchema });
		expect(schema.parse({ bucket: "memory:" })).toEqual({ bucket: { kind: "memory" } });
		expect(schema.safeParse({ bucket: "nowhere" }).error?.issues).toMatchObject([
			{ path: ["bucket"], message: expect.stringContaining("The location of the bucket must be") },
		]);
		expect(schema.safeParse({ bucket: 7 }).success).toBe(false);
	});
});
