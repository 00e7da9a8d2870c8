/** The versions of a path's configuration. */

import * as z from "zod";
import { pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import type { Deps } from "../deps.ts";
import { etagOf, quoted } from "../etag.ts";
import { changeDocument } from "../history/change-document.ts";
import { expectRules } from "../history/path-rules.ts";
import {
	MAX_SUMMARIES,
	type PathVersion,
	readNewestVersion,
	readVersion,
	summaryOf,
	VERSION_ACTIONS,
	type VersionSummary,
} from "../history/path-version.ts";
import { check } from "../input.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const MAX_VERSION = 999_999_999_998;
const number = z.coerce.number().int().min(1).max(MAX_VERSION);

const summary = z
	.object({
		version: z.int(),
		at: z.iso.datetime(),
		by: z.object({ kind: z.enum(["key", "token", "unknown"]), id: z.string(), name: z.string() }),
		action: z.enum(VERSION_ACTIONS).describe("found: something wrote the document that keeps no history"),
		restored: z.int().nullable().describe("The version that was rolled back to"),
		isDeleted: z.boolean().describe("Since this version, the path has no configuration of its own"),
	})
	.meta({ id: "PathVersionSummary" });
export type PathVersionSummary = z.infer<typeof summary>;

const version = summary
	.extend({
		config: z.record(z.string(), z.unknown()).nullable().describe("What the document says; null when it was deleted"),
	})
	.meta({ id: "PathVersion" });
export type PathVersionDocument = z.infer<typeof version>;

const page = z
	.object({ items: z.array(summary), next: z.string().nullable().describe("The cursor of the next page") })
	.meta({ id: "PathHistoryPage" });
export type PathHistoryPage = z.infer<typeof page>;

const restored = z
	.object({
		name: z.string(),
		version: z.int().describe("The new version"),
		config: pathOverridesSchema.nullable(),
		effective: pathConfigSchema.nullable(),
	})
	.meta({ id: "RestoredPath" });

const params = z.object({ path: z.string() });

export const pathHistoryRoutes = [
	route({
		method: "GET",
		path: "/v1/paths/{path}/history",
		operationId: "listPathHistory",
		summary: "List the versions of a path's configuration",
		access: "manage",
		scope: "path",
		params,
		query: z.object({
			cursor: number.optional(),
			limit: z.coerce.number().int().min(1).max(MAX_SUMMARIES).default(MAX_SUMMARIES),
		}),
		responses: { 200: { description: "One page, newest first", schema: page } },
		async handler({ deps, params, query: { cursor, limit } }) {
			const path = parsePathName(params.path);
			const first =
				cursor === undefined ? await readNewestVersion(deps.store, path) : await readVersion(deps.store, path, cursor);
			if (first === null) return respondJson(200, { items: [], next: null });
			const summaries = [summaryOf(first), ...first.previous].slice(0, limit);
			const oldest = summaries.at(-1)?.n ?? 1;
			return respondJson(200, { items: summaries.map(shownSummary), next: oldest > 1 ? String(oldest - 1) : null });
		},
	}),
	route({
		method: "GET",
		path: "/v1/paths/{path}/history/{version}",
		operationId: "getPathVersion",
		summary: "Read a version of a path's configuration",
		access: "manage",
		scope: "path",
		params: params.extend({ version: number }),
		responses: { 200: { description: "The version", schema: version } },
		async handler({ deps, params }) {
			const found = await expectVersion(deps, parsePathName(params.path), params.version);
			return respondJson(200, { ...shownSummary(found), config: found.config });
		},
	}),
	route({
		method: "POST",
		path: "/v1/paths/{path}/rollback",
		operationId: "rollbackPath",
		summary: "Make the configuration of a path what it was in a version. That makes a new version",
		access: "manage",
		scope: "path",
		params,
		body: z.strictObject({ version: number }).meta({ id: "PathRollback" }),
		responses: { 200: { description: "It is what it was", schema: restored } },
		async handler(input) {
			const { deps, body } = input;
			const path = parsePathName(input.params.path);
			const { config } = await expectVersion(deps, path, body.version);
			// What was right once need not be right by today's rules.
			const next = config === null ? null : check(pathOverridesSchema, config, "config");
			if (next !== null) expectRules(deps, path, next, "config");
			const { etag, n } = await changeDocument(input, path, {
				action: "rollback",
				restored: body.version,
				condition: etagOf(input.request, "if-match"),
				next: () => next,
			});
			const effective = next === null ? null : pathConfigOf(deps.settings, path, next);
			return respondJson(
				200,
				{ name: path, version: n, config: next, effective },
				etag === null ? {} : { etag: quoted(etag) },
			);
		},
	}),
];

/** @throws GoneError */
async function expectVersion({ store }: Deps, path: PathName, n: number): Promise<PathVersion> {
	const found = await readVersion(store, path, n);
	if (found === null) throw new GoneError("http.not_found", `The configuration of ${path} has no version ${n}`);
	return found;
}

function shownSummary({ n, atMs, by, action, restored, isDeleted }: VersionSummary): z.infer<typeof summary> {
	return { version: n, at: new Date(atMs).toISOString(), by, action, restored, isDeleted };
}
