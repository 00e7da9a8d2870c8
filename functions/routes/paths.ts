/** Path configurations: documents in the bucket, each with an etag. A lost update is not possible. */

import { z } from "zod";
import { type PathOverrides, pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { hasCode, InputError, SluiceError } from "#shared/problem.ts";
import { CONFIG_VERSION_KEY, keyToPath, PATH_CONFIGS_PREFIX, pathConfigKey } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { check } from "../input.ts";
import { mergePatch } from "../merge-patch.ts";
import { readPathOverrides } from "../path-documents.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const MAX_PATCH_ATTEMPTS = 5;
const params = z.object({ name: z.string() });

const document = z
	.object({
		name: z.string(),
		config: pathOverridesSchema.describe("What the document says"),
		effective: pathConfigSchema.describe("The same, with the defaults"),
	})
	.meta({ id: "Path" });

const page = z
	.object({ items: z.array(document), next: z.string().nullable().describe("The cursor of the next page") })
	.meta({ id: "PathPage" });

const patchSchema = z
	.record(z.string(), z.unknown())
	.meta({ id: "PathPatch", description: "A JSON merge patch (RFC 7396) of the document: null takes a setting back" });

export const pathRoutes = [
	route({
		method: "GET",
		path: "/v1/paths",
		operationId: "listPaths",
		summary: "List the configured paths",
		access: "api",
		query: z.object({
			cursor: z.string().max(300).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(100),
		}),
		responses: { 200: { description: "One page, by name", schema: page } },
		async handler({ deps, query: { cursor, limit } }) {
			const startAfter = cursor === undefined ? {} : { startAfter: PATH_CONFIGS_PREFIX + cursor };
			const { objects, next } = await deps.store.list(PATH_CONFIGS_PREFIX, { limit, ...startAfter });
			const names = objects.map(({ key }) => keyToPath(key.slice(PATH_CONFIGS_PREFIX.length, -".json".length)));
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
		access: "api",
		params,
		responses: { 200: { description: "The document", schema: document } },
		async handler({ deps, params, request }) {
			const name = parsePathName(params.name);
			const found = await expectDocument(deps, name);
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
		access: "api",
		params,
		body: pathOverridesSchema,
		responses: {
			200: { description: "Replaced", schema: document },
			201: { description: "Made", schema: document },
		},
		async handler({ deps, params, body, request }) {
			const name = parsePathName(params.name);
			const match = etagOf(request, "if-match");
			const onlyNew = request.headers.get("if-none-match") === "*";
			const existed = match !== null || (!onlyNew && (await deps.store.head(pathConfigKey(name))) !== null);
			const etag = await write(deps, name, body, match ?? (onlyNew ? "absent" : null));
			return respondJson(existed ? 200 : 201, described(deps, name, body), { etag: quoted(etag) });
		},
	}),
	route({
		method: "PATCH",
		path: "/v1/paths/{name}",
		operationId: "patchPath",
		summary: "Change some settings of a path",
		access: "api",
		params,
		body: patchSchema,
		bodyTypes: ["application/merge-patch+json"],
		responses: { 200: { description: "Changed", schema: document } },
		async handler({ deps, params, body, request }) {
			const name = parsePathName(params.name);
			const match = etagOf(request, "if-match");
			for (let attempt = 1; ; attempt++) {
				const found = await expectDocument(deps, name);
				if (match !== null && match !== found.etag) throw changed(name);
				const config = check(pathOverridesSchema, mergePatch(found.overrides, body), "body");
				try {
					const etag = await write(deps, name, config, found.etag);
					return respondJson(200, described(deps, name, config), { etag: quoted(etag) });
				} catch (error) {
					// Somebody changed it in between: the patch is laid over what is there now, unless that was ruled out.
					if (!hasCode(error, "input.precondition") || match !== null || attempt === MAX_PATCH_ATTEMPTS) throw error;
				}
			}
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/paths/{name}",
		operationId: "deletePath",
		summary: "Take the configuration of a path back",
		access: "api",
		params,
		responses: { 204: { description: "There is none any more" } },
		async handler({ deps, params, request }) {
			const name = parsePathName(params.name);
			const match = etagOf(request, "if-match");
			const found = await expectDocument(deps, name);
			if (match !== null && match !== found.etag) throw changed(name);
			await deps.store.delete([pathConfigKey(name)]);
			await tellNodes(deps);
			return respondEmpty(204);
		},
	}),
];

/** @throws InputError `path.not_configured` */
async function expectDocument(deps: Deps, name: PathName): Promise<{ overrides: PathOverrides; etag: string }> {
	const found = await readPathOverrides(deps.store, name);
	if (found !== null) return found;
	throw new InputError("path.not_configured", `Path ${name} has no configuration of its own; PUT makes one`);
}

/** Writes a document: if it has the etag `condition`, if there is none (`absent`), or in any case (`null`). */
async function write(deps: Deps, name: PathName, config: PathOverrides, condition: string | null): Promise<string> {
	const key = pathConfigKey(name);
	const body = JSON.stringify(config);
	const options = { contentType: "application/json" };
	try {
		const { etag } =
			condition === null
				? await deps.store.put(key, body, options)
				: condition === "absent"
					? await deps.store.putIfAbsent(key, body, options)
					: await deps.store.putIfMatch(key, body, condition, options);
		await tellNodes(deps);
		return etag;
	} catch (error) {
		if (hasCode(error, "store.precondition")) throw changed(name);
		throw error;
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

function described({ settings }: Deps, name: PathName, config: PathOverrides): z.infer<typeof document> {
	return { name, config, effective: pathConfigOf(settings, name, config) };
}

function changed(name: PathName): InputError {
	return new InputError(
		"input.precondition",
		`The configuration of ${name} is not the one that If-Match names; read it again`,
	);
}

function quoted(etag: string): string {
	return `"${etag}"`;
}

/** The etag of a condition; empty, which matches nothing, when it is none. */
function etagOf(request: Request, header: "if-match"): string | null {
	const value = request.headers.get(header);
	if (value === null) return null;
	return /^"(.*)"$/.exec(value.trim())?.[1] ?? "";
}
