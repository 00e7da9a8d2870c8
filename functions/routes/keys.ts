/** API keys: who administers, and what. */

import * as z from "zod";
import { generateApiKey, hashApiKey, ROLES, type Role } from "#shared/access/api-key.ts";
import { pathPatternSchema } from "#shared/access/permission.ts";
import { durationMs } from "#shared/config/duration.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import {
	type ApiKey,
	changeKeys,
	keyIdSchema,
	MAX_API_KEYS,
	MAX_KEY_NAME_LENGTH,
	MAX_KEY_PATHS,
	readKeys,
} from "../access/key-document.ts";
import { type KeyUse, readKeyUse } from "../access/key-use.ts";
import type { Change } from "../audit/change.ts";
import { etagOf, quoted } from "../etag.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { type RouteInput, route } from "../routing.ts";
import { lifeSchema } from "../tokens/token-request.ts";

const name = z.string().trim().min(1).max(MAX_KEY_NAME_LENGTH).describe("Whose it is: a person or a machine");
const role = z
	.enum(ROLES)
	.describe(
		"viewer: sees how streams fare. operator: also configures paths and hands out access to them. node: makes machines media nodes, nothing else. admin: all",
	);
const paths = z
	.array(pathPatternSchema)
	.max(MAX_KEY_PATHS)
	.describe("Paths, or ~ and a regular expression; empty for every path. Not for admins and nodes");
const life = lifeSchema.nullable();

const keyInput = z
	.strictObject({ name, role, paths: paths.default([]), expiresIn: life.default(null) })
	.meta({ id: "ApiKeyInput" });

const keyPatch = z
	.strictObject({
		name: name.optional(),
		role: role.optional(),
		paths: paths.optional(),
		disabled: z.boolean().optional(),
		expiresIn: life.optional().describe("From now on; null: never"),
	})
	.meta({ id: "ApiKeyPatch" });

const key = z
	.object({
		id: keyIdSchema,
		name: z.string(),
		role: z.enum(ROLES),
		paths: z.array(z.string()),
		disabled: z.boolean(),
		createdAt: z.iso.datetime(),
		createdBy: z.string().describe("The id of the key or token that made it"),
		expiresAt: z.iso.datetime().nullable(),
		lastUsedAt: z.iso.datetime().nullable().describe("To the hour; null: never"),
		etag: z.string().describe("For If-Match"),
	})
	.meta({ id: "ApiKey" });

const keyWithSecret = key
	.extend({ key: z.string().describe("Shown this once. Send it as Authorization: Bearer") })
	.meta({ id: "ApiKeyWithSecret" });
const page = z.object({ items: z.array(key), next: z.string().nullable() }).meta({ id: "ApiKeyPage" });
export type ApiKeyInput = z.input<typeof keyInput>;
export type ApiKeyPatch = z.input<typeof keyPatch>;
export type ShownApiKey = z.infer<typeof key>;
export type ApiKeyWithSecret = z.infer<typeof keyWithSecret>;
export type ApiKeyPage = z.infer<typeof page>;

const params = z.object({ id: keyIdSchema });

export const keyRoutes = [
	route({
		method: "GET",
		path: "/v1/keys",
		operationId: "listKeys",
		summary: "List the API keys",
		access: "api",
		query: z.object({
			cursor: z.string().max(100).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(50),
		}),
		responses: { 200: { description: "One page, oldest first", schema: page } },
		async handler({ deps, query: { cursor, limit } }) {
			const [{ keys }, { use }] = await Promise.all([readKeys(deps.store), readKeyUse(deps.store)]);
			const left = keys
				.toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1))
				.filter((each) => cursor === undefined || positionOf(each) > cursor);
			const last = left.length > limit ? left[limit - 1] : undefined;
			return respondJson(200, {
				items: left.slice(0, limit).map((each) => shown(each, use)),
				next: last === undefined ? null : positionOf(last),
			});
		},
	}),
	route({
		method: "POST",
		path: "/v1/keys",
		operationId: "createKey",
		summary: "Make an API key",
		access: "api",
		body: keyInput,
		responses: { 201: { description: "The key; its text is not kept", schema: keyWithSecret } },
		async handler({ deps, keys, body, claims, change }) {
			expectFit(body.role, body.paths);
			const text = generateApiKey();
			const nowMs = deps.clock.now();
			const made: ApiKey = {
				id: `key_${crypto.randomUUID().replaceAll("-", "")}`,
				name: body.name,
				hash: await hashApiKey(text),
				role: body.role,
				paths: body.paths,
				disabled: false,
				createdMs: nowMs,
				createdBy: claims?.tokenId ?? "",
				expiresMs: body.expiresIn === null ? null : nowMs + durationMs(body.expiresIn),
				revision: 1,
			};
			note(change, null, made);
			const document = await changeKeys(deps.store, (all) => {
				if (all.length >= MAX_API_KEYS)
					throw new InputError("input.invalid", `There are ${MAX_API_KEYS} keys already; delete one first`);
				return [...all, made];
			});
			keys.wrote(document);
			return respondJson(
				201,
				{ ...shown(made, {}), key: text },
				{ location: `/v1/keys/${made.id}`, etag: etagOfKey(made) },
			);
		},
	}),
	route({
		method: "GET",
		path: "/v1/keys/{id}",
		operationId: "getKey",
		summary: "Read an API key, without its text",
		access: "api",
		params,
		responses: { 200: { description: "The key", schema: key } },
		async handler({ deps, params: { id } }) {
			const [{ keys }, { use }] = await Promise.all([readKeys(deps.store), readKeyUse(deps.store)]);
			const found = expectKey(keys, id);
			return respondJson(200, shown(found, use), { etag: etagOfKey(found) });
		},
	}),
	route({
		method: "PATCH",
		path: "/v1/keys/{id}",
		operationId: "patchKey",
		summary: "Change, disable or enable an API key. It is obeyed within ten seconds",
		access: "api",
		params,
		body: keyPatch,
		bodyTypes: ["application/merge-patch+json"],
		responses: { 200: { description: "Changed", schema: key } },
		async handler(input) {
			const {
				deps,
				params: { id },
				body,
				request,
			} = input;
			const { expiresIn, ...rest } = body;
			const life =
				expiresIn === undefined
					? {}
					: { expiresMs: expiresIn === null ? null : deps.clock.now() + durationMs(expiresIn) };
			const patch = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
			const changed = await changeKey(input, id, etagOf(request, "if-match"), (before) => {
				const after = { ...before, ...patch, ...life, revision: before.revision + 1 };
				expectFit(after.role, after.paths);
				if (after.disabled || after.role !== "admin") expectAnother(input, id);
				return after;
			});
			const { use } = await readKeyUse(deps.store);
			return respondJson(200, shown(changed, use), { etag: etagOfKey(changed) });
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/keys/{id}",
		operationId: "deleteKey",
		summary: "Delete an API key. It stops within ten seconds",
		access: "api",
		params,
		responses: { 204: { description: "It is gone" } },
		async handler(input) {
			const {
				params: { id },
				request,
			} = input;
			expectAnother(input, id);
			await changeKey(input, id, etagOf(request, "if-match"), () => null);
			return respondEmpty(204);
		},
	}),
];

type Input = Pick<RouteInput<unknown, unknown, unknown>, "deps" | "keys" | "claims" | "change">;

/** Changes a key as it is now, or deletes it. Returns what it is then, or was. @throws GoneError, InputError */
async function changeKey(
	{ deps, keys, change }: Input,
	id: string,
	match: string | null,
	next: (before: ApiKey) => ApiKey | null,
): Promise<ApiKey> {
	let changed: ApiKey | null = null;
	const document = await changeKeys(deps.store, (all) => {
		const before = expectKey(all, id);
		if (match !== null && match !== String(before.revision))
			throw new InputError("input.precondition", "The key is not the one that If-Match names; read it again");
		const after = next(before);
		note(change, before, after);
		changed = after ?? before;
		return after === null
			? all.filter((other) => other.id !== id)
			: all.map((other) => (other.id === id ? after : other));
	});
	keys.wrote(document);
	if (changed === null) throw new TypeError("Cannot tell what was changed");
	return changed;
}

/** Nobody shuts the door behind themselves by mistake. @throws InputError */
function expectAnother({ claims }: Input, id: string): void {
	if (claims?.kind === "key" && claims.tokenId === id) {
		throw new InputError(
			"input.invalid",
			"A key cannot take away its own access: make another one, and do it with that",
		);
	}
}

/** @throws InputError */
function expectFit(role: Role, paths: readonly string[]): void {
	if ((role === "admin" || role === "node") && paths.length > 0)
		throw new InputError(
			"input.invalid",
			`The request is not valid: body.paths: the role ${role} is not about some paths; leave it empty`,
		);
}

/** @throws GoneError */
function expectKey(keys: readonly ApiKey[], id: string): ApiKey {
	const found = keys.find((each) => each.id === id);
	if (found === undefined) throw new GoneError("http.not_found", "There is no such API key");
	return found;
}

function note(change: Change, before: ApiKey | null, after: ApiKey | null): void {
	const of = after ?? before;
	change.target = of?.id ?? "";
	change.before = before === null ? null : String(before.revision);
	change.after = after === null ? null : String(after.revision);
	change.detail = of === null ? {} : { name: of.name, role: of.role, paths: of.paths, disabled: of.disabled };
}

/** Where a key stands in a listing. */
function positionOf({ createdMs, id }: ApiKey): string {
	return `${String(createdMs).padStart(15, "0")}-${id}`;
}

function etagOfKey({ revision }: ApiKey): string {
	return quoted(String(revision));
}

/** Without its hash. */
function shown(of: ApiKey, use: KeyUse): z.infer<typeof key> {
	const { id, name, role, paths, disabled, createdMs, createdBy, expiresMs, revision } = of;
	const lastUsedMs = use[id];
	return {
		id,
		name,
		role,
		paths,
		disabled,
		createdAt: new Date(createdMs).toISOString(),
		createdBy,
		expiresAt: expiresMs === null ? null : new Date(expiresMs).toISOString(),
		lastUsedAt: lastUsedMs === undefined ? null : new Date(lastUsedMs).toISOString(),
		etag: String(revision),
	};
}
