import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { S3Store } from "#shared/store/s3-store.ts";
import { R2Store } from "../../functions/store/r2-store.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";
import { objectStoreContract } from "./object-store.contract.ts";

objectStoreContract("R2Store", async () => {
	const server = await startS3Server({ buckets: ["contract"] });
	return { store: new R2Store(await server.r2Bucket("contract")), close: () => server.close() };
});

describe("one bucket, seen through its binding and through S3", () => {
	let server: S3Server;
	let s3: S3Store;
	let r2: R2Store;
	beforeAll(async () => {
		server = await startS3Server({ buckets: ["shared"] });
		const { endpoint, accessKeyId, secretAccessKey } = server;
		s3 = await S3Store.open({ bucket: "shared", endpoint, accessKeyId, secretAccessKey, forcePathStyle: true });
		r2 = new R2Store(await server.r2Bucket("shared"));
	});
	afterAll(async () => {
		await s3?.[Symbol.asyncDispose]();
		await server?.close();
	});

	it("has the same objects, with the same metadata", async () => {
		await s3.put("a.json", "{}", { contentType: "application/json" });
		const seen = await r2.head("a.json");
		expect(seen).toMatchObject({ key: "a.json", size: 2, contentType: "application/json" });
		expect((await s3.head("a.json"))?.etag).toBe(seen?.etag);
	});

	it("has conditional writes that know of each other", async () => {
		const { etag } = await s3.putIfAbsent("config.json", "1");
		await expect(r2.putIfAbsent("config.json", "2")).rejects.toMatchObject({ code: "store.precondition" });
		const next = await r2.putIfMatch("config.json", "2", etag);
		await expect(s3.putIfMatch("config.json", "3", etag)).rejects.toMatchObject({ code: "store.precondition" });
		await s3.putIfMatch("config.json", "3", next.etag);
		expect(await (await r2.get("config.json"))?.text()).toBe("3");
	});
});
