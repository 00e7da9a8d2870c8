/**
 * API keys: what people sign in with, and machines administer by. `slk_` and 256 random bits in base64url. The bucket
 * has their SHA-256 alone: nothing slower is needed for a secret that nobody can guess.
 */

import { base64url } from "jose";
import type { Permission } from "#shared/access/permission.ts";

const PREFIX = "slk_";
const SECRET_BYTES = 32;
const SHAPE = /^slk_[A-Za-z0-9_-]{43}$/;

export const ROLES = ["viewer", "operator", "node", "admin"] as const;
/**
 * - `viewer`: sees how streams fare.
 * - `operator`: sees and changes the configuration of paths, and hands out access to them.
 * - `node`: makes machines media nodes, and nothing else: for the key that a machine is made with.
 * - `admin`: all of it, and who else may do what.
 */
export type Role = (typeof ROLES)[number];

/** Says whether `text` has the form of an API key. Never throws. */
export function isApiKey(text: string): boolean {
	return SHAPE.test(text);
}

/** Makes a key that nobody has. */
export function generateApiKey(): string {
	return PREFIX + base64url.encode(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

/** What is kept of a key: SHA-256 of its text, in lower-case hexadecimal. */
export async function hashApiKey(key: string): Promise<string> {
	const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
	return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a role may do. `paths`: as in a permission; none of them means every path. Those of an admin or a node are ignored. */
export function permissionsOf(role: Role, paths: readonly string[]): Permission[] {
	if (role === "admin") return [{ action: "api", path: "" }];
	if (role === "node") return [{ action: "node", path: "" }];
	const action = role === "operator" ? "manage" : "view";
	return (paths.length === 0 ? [""] : paths).map((path) => ({ action, path }));
}
