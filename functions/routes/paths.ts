/** Path configurations: documents in the bucket, each with an etag. A lost update is not possible. */

import * as z from "zod";
import { allows } from "#shared/access/permission.ts";
import { type PathOverrides, pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { isPattern } from "#shared/config/path-pattern.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { InputError } from "#shared/problem.ts";
import { keyToPath, PATH_CONFIGS_PREFIX } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { etagOf, quoted } from "../etag.ts";
import { changeDocument } from "../history/change-document.ts";
import { expectRules } from "../history/path-rules.ts";
import { check } from "../input.ts";
import { mergePatch } from "../merge-patch.ts";
import { readPathOverrides } from "../path-documents.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const params = z.object({ name: z.string() });

const document = z
	.object({
		name: z.string(),
		exists: z.boolean().describe("Whether there is a document; an etag is that of one only then"),
		config: pathOverridesSchema.describe("What the document says"),
		effective: pathConfigSchema.describe("The same, with the defaults"),
		inherited: pathOverridesSchema.describe("What the settings that the document says would be without it"),
	})
	.meta({ id: "Path" });
export type PathDocument = z.infer<typeof document>;

const page = z
	.object({ items: z.array(document), next: z.string().nullable().describe("The cursor of the next page") })
	.meta({ id: "PathPage" });
export type PathPage = z.infer<typeof page>;

const patchSchema = z
	.record(z.string(), z.unknown())
	.meta({ id: "PathPatch", description: "A JSON merge patch (RFC 7396) of the document: null takes a setting back" });

export const pathRoutes = [
	route({
		method: "GET",
		path: "/v1/paths",
		operationId: "listPaths",
		summary: "List the configured paths",
		access: "manage",
		scope: "handler",
		query: z.object({
			cursor: z.string().max(300).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(100),
		}),
		responses: { 200: { description: "One page, by name", schema: page } },
		async handler({ deps, claims, query: { cursor, limit } }) {
			const startAfter = cursor === undefined ? {} : { startAfter: PATH_CONFIGS_PREFIX + cursor };
			const { objects, next } = await deps.store.list(PATH_CONFIGS_PREFIX, { limit, ...startAfter });
			const names = objects
				.map(({ key }) => keyToPath(key.slice(PATH_CONFIGS_PREFIX.length, -".json".length)))
				.filter((name) => allows(claims?.permissions ?? [], "manage", name));
			const items = await Promise.all(
				names.map(async (name) => {
					const found = await readPathOverrides(deps.store, parsePathName(name));
					return found === null ? [] : [described(deps, parsePathName(name), found.overrides)];
				}),
			);
			return respondJson(200, { items: items.flat(), next: next?.slice(PATH_CONFIGS_PREFIX.length) ?? null });
		},
	}),
	route({
		method: "GET",
		path: "/v1/paths/{name}",
		operationId: "getPath",
		summary: "Read the configuration of a path",
		access: "manage",
		scope: "name",
		params,
		query: z.object({
			absent: z.enum(["fail", "empty"]).default("fail").describe("Without a document: 404, or an empty one"),
		}),
		responses: { 200: { description: "The document", schema: document } },
		async handler({ deps, params, query: { absent }, request }) {
			const name = parsePathName(params.name);
			const found = await readPathOverrides(deps.store, name);
			if (found === null && absent === "empty")
				return respondJson(200, { ...described(deps, name, {}), exists: false });
			if (found === null) throw notConfigured(name);
			if (request.headers.get("if-none-match") === quoted(found.etag))
				return respondEmpty(304, { etag: quoted(found.etag) });
			return respondJson(200, described(deps, name, found.overrides), { etag: quoted(found.etag) });
		},
	}),
	route({
		method: "PUT",
		path: "/v1/paths/{name}",
		operationId: "putPath",
		summary:
			"Write the configuration of a path. If-Match: only if it has that etag; If-None-Match: *: only if there is none",
		access: "manage",
		scope: "name",
		params,
		body: pathOverridesSchema,
		responses: {
			200: { description: "Replaced", schema: document },
			201: { description: "Made", schema: document },
		},
		async handler(input) {
			const { deps, body, request } = input;
			const name = parsePathName(input.params.name);
			if (isPattern(name))
				throw new InputError("path.name", `Set ${name} in the nodes' files: documents are of one path`);
			const onlyNew = request.headers.get("if-none-match") === "*" ? "absent" : null;
			const condition = etagOf(request, "if-match") ?? onlyNew;
			expectRules(deps, name, body, "body");
			const { existed, etag } = await changeDocument(input, name, { action: "put", condition, next: () => body });
			return respondJson(existed ? 200 : 201, described(deps, name, body), etagHeader(etag));
		},
	}),
	route({
		method: "PATCH",
		path: "/v1/paths/{name}",
		operationId: "patchPath",
		summary: "Change some settings of a path",
		access: "manage",
		scope: "name",
		params,
		body: patchSchema,
		bodyTypes: ["application/merge-patch+json"],
		responses: { 200: { description: "Changed", schema: document } },
		async handler(input) {
			const { deps, body, request } = input;
			const name = parsePathName(input.params.name);
			// Without a condition, the patch is laid over whatever is there when it is written.
			const { config, etag } = await changeDocument(input, name, {
				action: "patch",
				condition: etagOf(request, "if-match"),
				next(before) {
					if (before === null) throw notConfigured(name);
					const after = check(pathOverridesSchema, mergePatch(before, body), "body");
					expectRules(deps, name, after, "body");
					return after;
				},
			});
			return respondJson(200, described(deps, name, config ?? {}), etagHeader(etag));
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/paths/{name}",
		operationId: "deletePath",
		summary: "Take the configuration of a path back",
		access: "manage",
		scope: "name",
		params,
		responses: { 204: { description: "There is none any more" } },
		async handler(input) {
			const name = parsePathName(input.params.name);
			await changeDocument(input, name, {
				action: "delete",
				condition: etagOf(input.request, "if-match"),
				next(before) {
					if (before === null) throw notConfigured(name);
					return null;
				},
			});
			return respondEmpty(204);
		},
	}),
];

function notConfigured(name: PathName): InputError {
	return new InputError("path.not_configured", `Path ${name} has no configuration of its own; PUT makes one`);
}

function described({ settings }: Deps, name: PathName, config: PathOverrides): z.infer<typeof document> {
	const without = Object.entries(pathConfigOf(settings, name));
	const inherited = Object.fromEntries(without.filter(([key]) => Object.hasOwn(config, key)));
	return { name, exists: true, config, effective: pathConfigOf(settings, name, config), inherited };
}

/** None when somebody has changed the document since: its etag would not be that of what is answered. */
function etagHeader(etag: string | null): { etag?: string } {
	return etag === null ? {} : { etag: quoted(etag) };
}
