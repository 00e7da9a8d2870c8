import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { parseBucketLocation } from "./bucket-location.ts";
import { FsStore } from "./fs-store.ts";
import { MemoryStore } from "./memory-store.ts";
import { openStore } from "./open-store.ts";
import { S3Store } from "./s3-store.ts";

it("opens what the location names", async () => {
	const root = await mkdtemp(path.join(tmpdir(), "sluice-open-store-"));
	try {
		await using memory = await openStore(parseBucketLocation("memory:"));
		await using folder = await openStore(parseBucketLocation(`file:${root}`));
		await using s3 = await openStore(parseBucketLocation("s3://my-bucket/p?region=eu-central-1"));
		expect(memory).toBeInstanceOf(MemoryStore);
		expect(folder).toBeInstanceOf(FsStore);
		expect(s3).toBeInstanceOf(S3Store);
		await folder.put("a", "1");
		expect(await (await folder.get("a"))?.text()).toBe("1");
	} finally {
		await rm(root, { recursive: true });
	}
});

it("opens an S3 bucket that is away, and says so when it is used", async () => {
	const location = parseBucketLocation("s3://my-bucket?endpoint=http://127.0.0.1:1&pathStyle=true");
	await using store = await openStore(location, { accessKeyId: "id", secretAccessKey: "secret" });
	await expect(store.put("a", "1")).rejects.toMatchObject({ code: "store.unavailable" });
});

it("opens nothing for a signal that has fired", async () => {
	for (const text of ["file:/nowhere/at/all", "s3://my-bucket?region=x"]) {
		const opening = openStore(parseBucketLocation(text), {}, AbortSignal.abort());
		await expect(opening).rejects.toMatchObject({ code: "aborted" });
	}
});
