/**
 * Changes of path configurations. Of writers at the same time, one creates version n: that makes its change. The document
 * that nodes read follows: its writer replaces it, and when that one dies in between, the next writer does so first.
 * A document that changed without a version becomes one before it is replaced, so nothing is overwritten unseen.
 */

import type { PathOverrides } from "#shared/config/path-config.ts";
import { jsonOrNull } from "#shared/json.ts";
import type { PathName } from "#shared/path-name.ts";
import { hasCode, StoreError } from "#shared/problem.ts";
import { pathConfigKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";
import {
	createVersion,
	MAX_SUMMARIES,
	type PathVersion,
	readNewestVersion,
	summaryOf,
	type VersionSummary,
} from "./path-version.ts";

const MAX_ATTEMPTS = 8;

/** The configuration of a path, and what it was made by. */
export type PathState = {
	/** The document as JSON; `null` when there is none. */
	readonly text: string | null;
	readonly etag: string | null;
	readonly newest: PathVersion | null;
};

export type PathChange = {
	readonly by: VersionSummary["by"];
	readonly action: VersionSummary["action"];
	readonly restored?: number;
	/**
	 * What is to be there, given what is; `null` for nothing. Called again when somebody else was first; what it throws
	 * ends the change.
	 */
	readonly next: (state: PathState) => PathOverrides | null | Promise<PathOverrides | null>;
};

export type ChangedPath = { readonly before: PathState; readonly etag: string | null; readonly n: number };

/** @throws StoreError, and what `change.next` throws. `store.conflict`: others were faster every time */
export async function changePath(
	{ store, clock }: Pick<Deps, "store" | "clock">,
	path: PathName,
	change: PathChange,
): Promise<ChangedPath> {
	for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
		const before = await settle({ store, clock }, path);
		if (before === null) continue;
		const config = await change.next(before);
		const version = nextVersion(before, {
			atMs: clock.now(),
			by: change.by,
			action: change.action,
			restored: change.restored ?? null,
			config,
		});
		if (!(await create(store, path, version))) continue;
		const etag = await materialize(store, path, before.etag, version);
		if (etag !== undefined) return { before, etag, n: version.n };
		// The document was not what it was: another writer has put ours in its place, or something without versions has
		// written. Either way it is a later state that counts now, and ours stands in the history.
		const after = await readState(store, path);
		return { before, etag: after.text === textOf(version) ? after.etag : null, n: version.n };
	}
	throw new StoreError("store.conflict", `The configuration of ${path} is being changed all the time; try again`);
}

/** Makes document and history agree. Returns what is there then; `null` when somebody else was at it: look again. */
async function settle({ store, clock }: Pick<Deps, "store" | "clock">, path: PathName): Promise<PathState | null> {
	const state = await readState(store, path);
	const { newest, text, etag } = state;
	if (text === (newest === null ? null : textOf(newest))) return state;
	if (newest !== null && etag === newest.baseEtag) {
		// Whoever made the newest version did not get to replace the document.
		await materialize(store, path, etag, newest);
		return null;
	}
	const config = text === null ? null : parsedOrUndefined(text);
	// What is no document cannot be a version. Who replaces it need not read it.
	if (config === undefined) return state;
	const found = nextVersion(state, {
		atMs: clock.now(),
		by: { kind: "unknown", id: "", name: "" },
		action: "found",
		restored: null,
		config,
	});
	await create(store, path, found);
	return null;
}

async function readState(store: ObjectStore, path: PathName): Promise<PathState> {
	// The version first: a document that is read later is never older than it.
	const newest = await readNewestVersion(store, path);
	const object = await store.get(pathConfigKey(path));
	return object === null
		? { text: null, etag: null, newest }
		: { text: await object.text(), etag: object.etag, newest };
}

function nextVersion(
	{ newest, etag }: PathState,
	of: Pick<PathVersion, "atMs" | "by" | "action" | "restored"> & { config: object | null },
): PathVersion {
	const config = of.config === null ? null : (JSON.parse(JSON.stringify(of.config)) as Record<string, unknown>);
	return {
		...of,
		n: (newest?.n ?? 0) + 1,
		isDeleted: config === null,
		config,
		baseEtag: etag,
		previous: newest === null ? [] : [summaryOf(newest), ...newest.previous].slice(0, MAX_SUMMARIES - 1),
	};
}

/** Creates a version. Says whether it was the first with its number. */
async function create(store: ObjectStore, path: PathName, version: PathVersion): Promise<boolean> {
	try {
		await createVersion(store, path, version);
		return true;
	} catch (error) {
		if (!hasCode(error, "store.precondition", "store.conflict")) throw error;
		return false;
	}
}

/** Puts a version in the document's place, if that has `etag` still: `undefined` if not, else its etag. */
async function materialize(
	store: ObjectStore,
	path: PathName,
	etag: string | null,
	version: PathVersion,
): Promise<string | null | undefined> {
	const key = pathConfigKey(path);
	const text = textOf(version);
	const options = { contentType: "application/json" };
	try {
		if (text !== null) {
			const put = etag === null ? store.putIfAbsent(key, text, options) : store.putIfMatch(key, text, etag, options);
			return (await put).etag;
		}
		if (etag !== null && (await store.head(key))?.etag !== etag) return undefined;
		// A bucket has no conditional delete: whoever wrote after the look is in the history, and is put back below.
		await store.delete([key]);
		const newest = await readNewestVersion(store, path);
		if (newest !== null && newest.n > version.n && newest.config !== null) await materialize(store, path, null, newest);
		return null;
	} catch (error) {
		if (!hasCode(error, "store.precondition", "store.conflict")) throw error;
		return undefined;
	}
}

function parsedOrUndefined(text: string): object | undefined {
	const value = jsonOrNull(text);
	return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

function textOf({ config }: PathVersion): string | null {
	return config === null ? null : JSON.stringify(config);
}
