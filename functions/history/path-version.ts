/**
 * Versions of a path's configuration: numbered from 1, created once and never changed. Creating the next one is what
 * makes a change; the document that nodes read is a copy of the newest (`path-history.ts`).
 */

import * as z from "zod";
import type { PathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { pathHistoryPrefix, pathVersionKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

/** How many versions one object tells of: a page of the history is one read. */
export const MAX_SUMMARIES = 50;

export const VERSION_ACTIONS = ["put", "patch", "delete", "rollback", "found"] as const;

const summarySchema = z.object({
	n: z.int().min(1),
	atMs: z.number(),
	/** Who; the id is empty when that is not known. */
	by: z.object({ kind: z.enum(["key", "token", "unknown"]), id: z.string(), name: z.string() }),
	/** `found`: the document was there without a version, written by something that keeps none. */
	action: z.enum(VERSION_ACTIONS),
	/** The version that was rolled back to. */
	restored: z.int().nullable(),
	/** Whether this version is that there is no configuration. */
	isDeleted: z.boolean(),
});
export type VersionSummary = z.infer<typeof summarySchema>;

const versionSchema = summarySchema.extend({
	/** The document; `null` when there is none. As it was written, which may be before today's schema. */
	config: z.record(z.string(), z.unknown()).nullable(),
	/** The etag of the document that this version replaces; `null` when there was none. */
	baseEtag: z.string().nullable(),
	/** The versions before it, newest first. */
	previous: z.array(summarySchema).max(MAX_SUMMARIES - 1),
});
export type PathVersion = z.infer<typeof versionSchema>;

/** Reads version `n`; `null` when there is none. @throws StoreError `store.refused` when it is damaged */
export async function readVersion(store: ObjectStore, path: PathName, n: number): Promise<PathVersion | null> {
	return readVersionAt(store, pathVersionKey(path, n));
}

/** Reads the newest version: one listing of one key, and one read; `null` when there is none. @throws StoreError */
export async function readNewestVersion(store: ObjectStore, path: PathName): Promise<PathVersion | null> {
	const { objects } = await store.list(pathHistoryPrefix(path), { limit: 1 });
	const key = objects[0]?.key;
	return key === undefined ? null : readVersionAt(store, key);
}

async function readVersionAt(store: ObjectStore, key: string): Promise<PathVersion | null> {
	const object = await store.get(key);
	if (object === null) return null;
	const text = await object.text();
	try {
		return versionSchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new StoreError("store.refused", `The version ${key} is damaged: delete it to go on from the one before`, {
			cause,
		});
	}
}

/** Creates a version. @throws StoreError `store.precondition` when somebody else was first */
export async function createVersion(store: ObjectStore, path: PathName, version: PathVersion): Promise<void> {
	await store.putIfAbsent(pathVersionKey(path, version.n), JSON.stringify(version), {
		contentType: "application/json",
	});
}

/** What a version says of itself to those after it. */
export function summaryOf({ n, atMs, by, action, restored, isDeleted }: VersionSummary): VersionSummary {
	return { n, atMs, by, action, restored, isDeleted };
}
