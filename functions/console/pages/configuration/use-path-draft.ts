import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useApi, useChange } from "../../api/hooks.ts";
import { type ApiProblem, asProblem } from "../../api/problem.ts";
import { type Change, changesBetween, isSame, merged, type Overrides, withSetting } from "./draft.ts";
import {
	type Faults,
	mergedFaults,
	NO_FAULTS,
	problemFaults,
	ruleFaults,
	schemaFaults,
	stillFaulty,
} from "./field-fault.ts";
import { effectiveOf, type LoadedPath, loadPath } from "./loaded-path.ts";
import { pathAddress } from "./path-address.ts";
import { type Conflict, savePath } from "./save-path.ts";

export type PathDraft = {
	/** What the draft was begun from; `null` before it is there. */
	readonly base: LoadedPath | null;
	readonly loadProblem: ApiProblem | null;
	readonly draft: Overrides;
	readonly changes: readonly Change[];
	readonly faults: Faults;
	readonly warnings: Faults;
	readonly saveProblem: ApiProblem | null;
	readonly conflict: Conflict | null;
	readonly isSaving: boolean;
	/** It was saved, and nothing was changed since. */
	readonly isSaved: boolean;
	/** Another one when all inputs are to begin anew. */
	readonly generation: number;
	change(key: string, value: unknown): void;
	replace(overrides: Overrides): void;
	discard(): void;
	save(): Promise<void>;
	/** Lays my changes over what is there now. */
	takeTheirs(): void;
	/** Drops my changes. */
	startAgain(): void;
};

type Edit = { readonly base: LoadedPath; readonly draft: Overrides };

const EMPTY: Overrides = {};
const NO_KEYS: ReadonlySet<string> = new Set();

/** The configuration of a path, what is made of it before it is saved, and what the server says to that. */
export function usePathDraft(path: string): PathDraft {
	const api = useApi();
	const resources = useQueryClient();
	const queryKey = [pathAddress(path), "with etag"];
	const query = useQuery({ queryKey, queryFn: ({ signal }) => loadPath(api, path, signal) });
	// `null`: nothing is changed, and what the server has anew is shown at once.
	const [edit, setEdit] = useState<Edit | null>(null);
	const [conflict, setConflict] = useState<Conflict | null>(null);
	const [changedSince, setChangedSince] = useState(NO_KEYS);
	const [isSaved, setSaved] = useState(false);
	const [generation, setGeneration] = useState(0);

	const base = edit?.base ?? query.data ?? null;
	const draft = edit?.draft ?? base?.overrides ?? EMPTY;
	const saving = useChange((client, input: Edit) => savePath(client, path, input.base, input.draft), {
		touches: ["/v1/paths"],
		quiet: true,
	});

	const serverFaults = useMemo(() => problemFaults(saving.problem), [saving.problem]);
	const faults = useMemo(
		() => mergedFaults(schemaFaults(draft), stillFaulty(serverFaults, changedSince)),
		[draft, serverFaults, changedSince],
	);
	const warnings = useMemo(
		() => (base === null ? NO_FAULTS : ruleFaults(path, effectiveOf(base, draft))),
		[base, draft, path],
	);
	const changes = useMemo(() => (base === null ? [] : changesBetween(base.overrides, draft)), [base, draft]);

	const loaded = query.data;
	const change = useCallback(
		(key: string, value: unknown) => {
			setSaved(false);
			setChangedSince((keys) => new Set([...keys, key]));
			setEdit((now) => {
				const from = now?.base ?? loaded;
				return from === undefined ? null : editOf(from, withSetting(now?.draft ?? from.overrides, key, value));
			});
		},
		[loaded],
	);

	function begin(next: Edit | null) {
		setEdit(next);
		setConflict(null);
		setSaved(false);
		setGeneration((count) => count + 1);
	}

	async function save() {
		if (base === null) return;
		setChangedSince(NO_KEYS);
		setConflict(null);
		const result = await saving.run({ base, draft });
		if (result === null) return;
		if ("conflict" in result) {
			setEdit({ base, draft });
			setConflict(result.conflict);
			return;
		}
		resources.setQueryData(queryKey, result.saved);
		begin(null);
		setSaved(true);
	}

	return {
		base,
		loadProblem: query.error === null || base !== null ? null : asProblem(query.error),
		draft,
		changes,
		faults,
		warnings,
		saveProblem: saving.problem,
		conflict,
		isSaving: saving.isRunning,
		isSaved,
		generation,
		change,
		replace(overrides) {
			if (base === null || isSame(overrides, draft)) return;
			setChangedSince(new Set([...Object.keys(draft), ...Object.keys(overrides)]));
			begin(editOf(base, overrides));
		},
		discard: () => begin(null),
		save,
		takeTheirs() {
			if (base === null || conflict === null) return;
			const { theirs } = conflict;
			begin(editOf(theirs, merged(base.overrides, draft, theirs.overrides).overrides));
		},
		startAgain() {
			if (conflict !== null) resources.setQueryData(queryKey, conflict.theirs);
			begin(null);
		},
	};
}

/** None when the draft is what it was begun from, whose etag is then the newest to go on with. */
function editOf(base: LoadedPath, draft: Overrides): Edit | null {
	return isSame(base.overrides, draft) ? null : { base, draft };
}
