/** Who calls the API, and whether they may. */

import { hashApiKey, isApiKey, permissionsOf, type Role } from "#shared/access/api-key.ts";
import { allows, allowsEverywhere, allowsSomewhere, type Permission } from "#shared/access/permission.ts";
import type { Claims } from "#shared/access/token.ts";
import { DeniedError } from "#shared/problem.ts";
import type { Deps } from "../deps.ts";
import type { Route } from "../routing.ts";
import type { KnownKeys } from "./known-keys.ts";

/** Who asks. `tokenId` is the id of the key, or of the token; an `expiresMs` that is infinite means never. */
export type Caller = Claims & { readonly kind: "key" | "token" };

/** The id of a key that the settings name, not the bucket. */
const SETTINGS_KEY_ID = "settings";

/** Recognizes who sends an API key or a token. @throws DeniedError */
export async function recognize(
	{ clock, settings, verifier }: Pick<Deps, "clock" | "settings" | "verifier">,
	keys: KnownKeys,
	request: Request,
): Promise<Caller> {
	const [scheme = "", text = ""] = (request.headers.get("authorization") ?? "").split(/ +/, 2);
	if (scheme.toLowerCase() !== "bearer" || text === "") {
		throw new DeniedError(
			"access.token_missing",
			"This needs an Authorization: Bearer header with an API key or a token; `npx sluice token --admin` makes one",
		);
	}
	if (!isApiKey(text)) return { ...(await verifier.verify(text)), kind: "token" };
	const role = await roleInSettings(settings, text);
	if (role !== null) {
		const permissions = permissionsOf(role, []);
		return { kind: "key", subject: role, tokenId: SETTINGS_KEY_ID, permissions, expiresMs: Number.POSITIVE_INFINITY };
	}
	const key = await keys.find(text);
	if (key === null || key.disabled) {
		throw new DeniedError("access.token_invalid", "The API key is not one of ours, or was disabled. Ask for a new one");
	}
	if (key.expiresMs !== null && key.expiresMs <= clock.now())
		throw new DeniedError("access.token_expired", "The API key has expired. Ask for a new one");
	await keys.used(key);
	return {
		kind: "key",
		subject: key.name,
		tokenId: key.id,
		permissions: permissionsOf(key.role, key.paths),
		expiresMs: key.expiresMs ?? Number.POSITIVE_INFINITY,
	};
}

/** The role of a key that the settings name; `null` when they do not. */
async function roleInSettings(
	{ adminKeyHashes, nodeKeyHashes }: Pick<Deps["settings"], "adminKeyHashes" | "nodeKeyHashes">,
	text: string,
): Promise<"admin" | "node" | null> {
	if (adminKeyHashes.length + nodeKeyHashes.length === 0) return null;
	const hash = await hashApiKey(text);
	return adminKeyHashes.includes(hash) ? "admin" : nodeKeyHashes.includes(hash) ? "node" : null;
}

/** Sees to it that who asks may use a route at all; what its handler leaves out is its own affair. @throws DeniedError */
export function expectAllowed(
	{ access, scope }: Pick<Route, "access" | "scope">,
	permissions: readonly Permission[],
	params: Readonly<Record<string, string>>,
): void {
	if (access === "public" || access === "path-token" || access === "path-publish" || access === "path-read")
		throw new TypeError(`Cannot say who may use a route: its access is ${access}`);
	const isAllowed =
		scope === undefined
			? allowsEverywhere(permissions, access)
			: scope === "handler"
				? allowsSomewhere(permissions, access)
				: allows(permissions, access, params[scope] ?? "");
	if (isAllowed) return;
	const where = scope === undefined ? "" : scope === "handler" ? " anywhere" : " on this path";
	throw new DeniedError("access.forbidden", `The key or token does not allow the action ${access}${where}`);
}

/** The role that permissions come nearest to; `null` when they are not about administration. */
export function roleOf(permissions: readonly Permission[]): Role | null {
	const has = (action: string) => permissions.some((permission) => permission.action === action);
	return has("api") ? "admin" : has("manage") ? "operator" : has("view") ? "viewer" : has("node") ? "node" : null;
}
