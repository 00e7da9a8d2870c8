import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { FsStore } from "#shared/store/fs-store.ts";
import { objectStoreContract } from "./object-store.contract.ts";

objectStoreContract("FsStore", async () => {
	const root = await mkdtemp(path.join(tmpdir(), "sluice-fs-store-"));
	const store = await FsStore.open({ root });
	return {
		store,
		async close() {
			await store[Symbol.asyncDispose]();
			await rm(root, { recursive: true });
		},
	};
});
