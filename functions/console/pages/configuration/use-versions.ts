import { useQuery } from "@tanstack/react-query";
import type { PathVersionDocument, PathVersionSummary } from "../../../routes/path-history.ts";
import { useApi, useChange } from "../../api/hooks.ts";
import { type ApiProblem, asProblem } from "../../api/problem.ts";
import { type Change, changesBetween, type Overrides } from "./draft.ts";
import { conditionOf, type LoadedPath, loadPath } from "./loaded-path.ts";
import { pathAddress } from "./path-address.ts";
import { type Conflict, conflictOf, isLost } from "./save-path.ts";

export type Comparison = { readonly changes: readonly Change[] | null; readonly problem: ApiProblem | null };

/** What is different from version `from` to version `to`; version 0 is that there is no configuration. */
export function useComparison(path: string, from: number, to: number): Comparison {
	const before = useVersion(path, from);
	const after = useVersion(path, to);
	const error = before.error ?? after.error;
	const isKnown = before.data !== undefined && after.data !== undefined;
	return {
		changes: isKnown ? changesBetween(before.data, after.data) : null,
		problem: error === null ? null : asProblem(error),
	};
}

/** A version never changes: it is asked for once. */
function useVersion(path: string, version: number) {
	const api = useApi();
	return useQuery({
		queryKey: ["version", path, version],
		queryFn: async ({ signal }): Promise<Overrides> => {
			if (version === 0) return {};
			const found = await api.get<PathVersionDocument>(`${pathAddress(path)}/history/${version}`, signal);
			return found.config ?? {};
		},
		staleTime: Number.POSITIVE_INFINITY,
	});
}

/** The document that a roll-back replaces, as it is shown. */
export function useCurrent(path: string): LoadedPath | null {
	const api = useApi();
	const queryKey = [pathAddress(path), "with etag"];
	return useQuery({ queryKey, queryFn: ({ signal }) => loadPath(api, path, signal) }).data ?? null;
}

export type RollBack = { readonly version: number } | { readonly conflict: Conflict };

/** Rolls back to a version, if the document is still the one that was shown. */
export function useRollBack(path: string, current: LoadedPath | null) {
	return useChange(
		async (api, { version }: Pick<PathVersionSummary, "version">): Promise<RollBack> => {
			if (current === null) throw new TypeError("Cannot roll back before the configuration is loaded");
			// A document that is not there has no etag to ask for: nothing can be lost then that is not in the history.
			const headers = current.isConfigured ? conditionOf(current) : {};
			try {
				const { body } = await api.send<{ version: number }>(
					"POST",
					`${pathAddress(path)}/rollback`,
					{ version },
					headers,
				);
				return { version: body.version };
			} catch (error) {
				if (!isLost(error)) throw error;
				return { conflict: await conflictOf(api, path) };
			}
		},
		{ touches: ["/v1/paths"], quiet: true },
	);
}
