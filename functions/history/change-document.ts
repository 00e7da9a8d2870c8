/** A change of a path's configuration as a request makes it: who may, the history, the nodes, the audit log. */

import { allows } from "#shared/access/permission.ts";
import { hooksShape, recordHooksShape } from "#shared/config/path/hooks.ts";
import type { PathOverrides } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { DeniedError, InputError, SluiceError } from "#shared/problem.ts";
import { CONFIG_VERSION_KEY } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { parsePathOverrides } from "../path-documents.ts";
import type { RouteInput } from "../routing.ts";
import { changePath, type PathChange } from "./path-history.ts";

/** Nodes read no document of more than 64 KiB (`media-node/control/config-watch.ts`); a character has 3 bytes at most. */
const MAX_DOCUMENT_CHARS = 20_000;

type Input = Pick<RouteInput<unknown, unknown, unknown>, "deps" | "claims" | "change">;

export type DocumentChange = Pick<PathChange, "action" | "restored"> & {
	/** The etag that the document must have, `absent`, or `null` for any. */
	readonly condition: string | null;
	/** What is to be there, given what is. What it throws ends the change. */
	readonly next: (before: PathOverrides | null) => PathOverrides | null;
};

export type ChangedDocument = {
	readonly existed: boolean;
	readonly config: PathOverrides | null;
	/** `null` when there is no document, or somebody has changed it since. */
	readonly etag: string | null;
	/** The version. */
	readonly n: number;
};

/** @throws InputError `input.precondition`, DeniedError, StoreError, and what `next` throws */
export async function changeDocument(
	{ deps, claims, change }: Input,
	path: PathName,
	{ action, restored, condition, next }: DocumentChange,
): Promise<ChangedDocument> {
	if (claims === null) throw new TypeError("Cannot change a document on behalf of nobody");
	let config: PathOverrides | null = null;
	change.target = path;
	const changed = await changePath(deps, path, {
		action,
		...(restored === undefined ? {} : { restored }),
		by: { kind: claims.kind, id: claims.tokenId, name: claims.subject.slice(0, 256) },
		next({ text, etag, newest }) {
			if (condition !== null && condition !== (etag ?? "absent")) throw preconditionFailed(path);
			// What is replaced as a whole need not be right.
			const before = text === null ? null : action === "patch" ? parsePathOverrides(path, text) : readable(path, text);
			config = next(before);
			if (config !== null && JSON.stringify(config).length > MAX_DOCUMENT_CHARS)
				throw new InputError("input.too_large", `The configuration has more than ${MAX_DOCUMENT_CHARS} characters`);
			const isAdmin = allows(claims.permissions, "api", "");
			if (config !== null && !isAdmin) expectNothingOfNodes(before ?? {}, config);
			change.before = etag;
			change.detail = { version: (newest?.n ?? 0) + 1, ...(restored === undefined ? {} : { restored }) };
			return config;
		},
	});
	change.after = changed.etag;
	await tellNodes(deps);
	return { existed: changed.before.text !== null, config, etag: changed.etag, n: changed.n };
}

/** The settings that are commands: of those of hooks, the ones that nothing but a command can fill. */
const COMMANDS: ReadonlySet<string> = new Set(
	Object.entries({ ...hooksShape, ...recordHooksShape }).flatMap(([key, schema]) =>
		schema.parse(undefined) === "" ? [key] : [],
	),
);

/** The settings that name files of the nodes, to be read or written. */
const NODE_FILES: ReadonlySet<string> = new Set([
	"sourceFile",
	"alwaysAvailableFile",
	"recordPath",
	"rpiCameraTuningFile",
] satisfies (keyof PathOverrides)[]);

/**
 * What a path runs, reads and writes on the nodes, it does as the user that runs them: that is more than to manage a path.
 *
 * @throws DeniedError
 */
function expectNothingOfNodes(before: PathOverrides, after: PathOverrides): void {
	const was = new Map<string, unknown>(Object.entries(before));
	for (const [key, value] of Object.entries(after)) {
		const what = ofNodes(key, value);
		if (what === null || JSON.stringify(value) === JSON.stringify(was.get(key))) continue;
		throw new DeniedError("access.forbidden", `${key} ${what}: only an administrator may set or change it`);
	}
}

/** What of a node a setting reaches, as the end of a sentence; `null` when nothing. */
function ofNodes(key: string, value: unknown): string | null {
	if (value === "" || value === undefined) return null;
	if (COMMANDS.has(key)) return "is a command that nodes run";
	if (NODE_FILES.has(key)) return "names a file of the nodes";
	const sources = key === "source" ? [value].flat() : [];
	const hasSocket = sources.some((source) => typeof source === "string" && /^unix\+/i.test(source));
	return hasSocket ? "names a socket of the nodes" : null;
}

function readable(path: PathName, text: string): PathOverrides | null {
	try {
		return parsePathOverrides(path, text);
	} catch (error) {
		if (!(error instanceof SluiceError)) throw error;
		return {};
	}
}

/** Lets nodes see at their next poll that something is new. They look by themselves once a minute, too. */
async function tellNodes({ store, clock, log }: Deps): Promise<void> {
	try {
		await store.put(CONFIG_VERSION_KEY, JSON.stringify({ version: crypto.randomUUID(), writtenMs: clock.now() }));
	} catch (error) {
		if (!(error instanceof SluiceError)) throw error;
		log.error({ code: error.code }, "The nodes could not be told of a new configuration; they find it within a minute");
	}
}

function preconditionFailed(path: PathName): InputError {
	return new InputError(
		"input.precondition",
		`The configuration of ${path} is not the one that the condition names; read it again`,
	);
}
