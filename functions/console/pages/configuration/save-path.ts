/** Saving a draft, and what to do when somebody else was first. */

import type { PathHistoryPage, PathVersionSummary } from "../../../routes/path-history.ts";
import type { PathDocument } from "../../../routes/paths.ts";
import type { Api } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import type { Overrides } from "./draft.ts";
import { conditionOf, type LoadedPath, loadedFrom, loadPath } from "./loaded-path.ts";
import { pathAddress } from "./path-address.ts";

export type Conflict = {
	/** What is there now. */
	readonly theirs: LoadedPath;
	/** Who wrote it; `null` when the history does not say. */
	readonly version: PathVersionSummary | null;
};

export type Saved = { readonly saved: LoadedPath } | { readonly conflict: Conflict };

/** @throws ApiProblem but that of a condition which does not hold */
export async function savePath(api: Api, name: string, base: LoadedPath, draft: Overrides): Promise<Saved> {
	try {
		const { body, etag } = await api.send<PathDocument>("PUT", pathAddress(name), draft, conditionOf(base));
		return { saved: loadedFrom(body, etag) };
	} catch (error) {
		if (!isLost(error)) throw error;
		return { conflict: await conflictOf(api, name) };
	}
}

/** What is there now, and who wrote it. @throws ApiProblem */
export async function conflictOf(api: Pick<Api, "read" | "get">, name: string): Promise<Conflict> {
	const [theirs, history] = await Promise.all([
		loadPath(api, name),
		api.get<PathHistoryPage>(`${pathAddress(name)}/history?limit=1`),
	]);
	return { theirs, version: history.items[0] ?? null };
}

/** Whether somebody else has written since the document was read. */
export function isLost(error: unknown): boolean {
	return error instanceof ApiProblem && error.status === 412;
}
