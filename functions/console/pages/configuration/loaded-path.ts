/** The configuration of a path as the server has it. */

import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import type { PathDocument } from "../../../routes/paths.ts";
import type { Api } from "../../api/client.ts";
import { ApiProblem } from "../../api/problem.ts";
import type { Overrides } from "./draft.ts";
import { pathAddress } from "./path-address.ts";

export type LoadedPath = {
	readonly overrides: Overrides;
	/** With the defaults. */
	readonly effective: Overrides;
	/** For If-Match; `null` when there is no document. */
	readonly etag: string | null;
	readonly isConfigured: boolean;
};

export const NOT_CONFIGURED: LoadedPath = {
	overrides: {},
	effective: DEFAULT_PATH_CONFIG,
	etag: null,
	isConfigured: false,
};

/** A path without a document is one too: with the defaults alone. @throws ApiProblem */
export async function loadPath(api: Pick<Api, "read">, name: string, signal?: AbortSignal): Promise<LoadedPath> {
	try {
		const { body, etag } = await api.read<PathDocument>(pathAddress(name), signal);
		return { overrides: body.config, effective: body.effective, etag, isConfigured: true };
	} catch (error) {
		if (error instanceof ApiProblem && error.code === "path.not_configured") return NOT_CONFIGURED;
		throw error;
	}
}

/** The condition that nobody else has written since. */
export function conditionOf({ etag, isConfigured }: LoadedPath): Record<string, string> {
	if (etag !== null) return { "if-match": etag };
	return isConfigured ? {} : { "if-none-match": "*" };
}

/** What a setting is when the path does not say it: what the server told, or else what the schema has. */
export function inheritedValue({ overrides, effective }: LoadedPath, key: string): unknown {
	const values = new Map(Object.entries(key in overrides ? DEFAULT_PATH_CONFIG : effective));
	return values.get(key);
}

/** `overrides` with what they leave out. */
export function effectiveOf(loaded: LoadedPath, overrides: Overrides): Overrides {
	const keys = Object.keys(DEFAULT_PATH_CONFIG);
	const inherited = Object.fromEntries(keys.map((key) => [key, inheritedValue(loaded, key)]));
	return { ...inherited, ...overrides };
}
