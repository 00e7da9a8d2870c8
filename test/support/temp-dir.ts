import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

export type TempDir = AsyncDisposable & { readonly path: string };

/** An empty folder that is gone after the test. */
export async function tempDir(): Promise<TempDir> {
	const folder = await mkdtemp(path.join(os.tmpdir(), "sluice-test-"));
	return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}
