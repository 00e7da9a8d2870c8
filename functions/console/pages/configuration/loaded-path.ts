/** The configuration of a path as the server has it. */

import type { PathDocument } from "../../../routes/paths.ts";
import type { Api } from "../../api/client.ts";
import type { Overrides } from "./draft.ts";
import { pathAddress } from "./path-address.ts";

export type LoadedPath = {
	readonly overrides: Overrides;
	/** What each setting is when the path does not say it: by the configuration of the server, or by default. */
	readonly inherited: Overrides;
	/** For If-Match; `null` when there is no document. */
	readonly etag: string | null;
	readonly isConfigured: boolean;
};

/** A path without a document is one too. @throws ApiProblem */
export async function loadPath(api: Pick<Api, "read">, name: string, signal?: AbortSignal): Promise<LoadedPath> {
	const { body, etag } = await api.read<PathDocument>(`${pathAddress(name)}?absent=empty`, signal);
	return loadedFrom(body, body.exists ? etag : null);
}

/** What the server says of a path. */
export function loadedFrom({ exists, config, effective, inherited }: PathDocument, etag: string | null): LoadedPath {
	return { overrides: config, inherited: { ...effective, ...inherited }, etag, isConfigured: exists };
}

/** The condition that nobody else has written since. */
export function conditionOf({ etag, isConfigured }: LoadedPath): Record<string, string> {
	if (etag !== null) return { "if-match": etag };
	return isConfigured ? {} : { "if-none-match": "*" };
}

/** What a setting is when the path does not say it. */
export function inheritedValue({ inherited }: LoadedPath, key: string): unknown {
	return new Map(Object.entries(inherited)).get(key);
}

/** `overrides` with what they leave out. */
export function effectiveOf({ inherited }: LoadedPath, overrides: Overrides): Overrides {
	return { ...inherited, ...overrides };
}
