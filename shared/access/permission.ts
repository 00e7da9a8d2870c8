/**
 * What a client may do, by MediaMTX's words: a list of actions, each on one path, all of them or those of a regular
 * expression. `view` and `manage` are ours: who may `view` sees how streams fare, who may `manage` sees and changes the
 * configuration of paths and hands out access to them, and who may `node` makes machines media nodes, and nothing else.
 * `api` is MediaMTX's word for an administrator, and allows all three.
 */

import * as z from "zod";
import { isPathName } from "../path-name.ts";

export const ACTIONS = ["publish", "read", "playback", "api", "metrics", "pprof", "view", "manage", "node"] as const;
export const actionSchema = z.enum(ACTIONS);
export type Action = (typeof ACTIONS)[number];

/** A longer expression is refused: it is written by people, and matched on every request. */
const MAX_PATH_PATTERN_LENGTH = 256;

const pathText = z
	.string()
	.max(MAX_PATH_PATTERN_LENGTH)
	.refine((path) => !path.startsWith("~") || isRegExp(path.slice(1)), { message: "is not a regular expression" });

export const permissionSchema = z
	.object({
		action: actionSchema,
		/** Empty: any path. `~` and a regular expression: the paths that it matches. Else that very path. */
		path: pathText.default(""),
	})
	.meta({ id: "Permission" });
export type Permission = z.infer<typeof permissionSchema>;

/** What is wrong with the path of a permission that is to fit paths, as the end of a sentence; `null` when nothing is. */
export function fitsNothingFault(pattern: string): string | null {
	if (pattern === "" || pattern.startsWith("~") || isPathName(pattern)) return null;
	return `${JSON.stringify(pattern.slice(0, 80))} is no path name; a regular expression begins with ~, such as ~^site/`;
}

/** Paths by name or regular expression, as the API takes them. Files may name what is no path, as MediaMTX's may. */
export const pathPatternSchema = pathText.min(1, "must not be empty").superRefine((pattern, context) => {
	const message = fitsNothingFault(pattern);
	if (message !== null) context.addIssue({ code: "custom", message });
});

function isRegExp(source: string): boolean {
	try {
		new RegExp(source);
		return true;
	} catch {
		// RegExp has no other way to say that a source is malformed.
		return false;
	}
}

/** Actions that are not about a path: for these a permission's path is ignored, as in MediaMTX. */
const PATHLESS: ReadonlySet<Action> = new Set(["api", "metrics", "pprof", "node"]);

/** What else an action allows. */
const IMPLIED: Partial<Readonly<Record<Action, ReadonlySet<Action>>>> = {
	api: new Set<Action>(["view", "manage", "node"]),
	manage: new Set<Action>(["view"]),
};

/** Says whether one of `permissions` allows `action` on `path`. Never throws. */
export function allows(permissions: readonly Permission[], action: Action, path: string): boolean {
	return permissions.some(
		(permission) =>
			implies(permission.action, action) && (PATHLESS.has(permission.action) || fitsPath(permission.path, path)),
	);
}

/** Says whether `permissions` allow `action` on any path at all. */
export function allowsSomewhere(permissions: readonly Permission[], action: Action): boolean {
	return permissions.some((permission) => implies(permission.action, action));
}

function implies(granted: Action, asked: Action): boolean {
	return granted === asked || IMPLIED[granted]?.has(asked) === true;
}

/** Says whether `permissions` allow `action` on every path there is: without a pattern, not by one that fits many. */
export function allowsEverywhere(permissions: readonly Permission[], action: Action): boolean {
	return permissions.some(
		(permission) => (permission.path === "" || PATHLESS.has(permission.action)) && allows([permission], action, ""),
	);
}

/**
 * Says whether who has `permissions` may hand `granted` to others: with `manage`, what clients of media do on the same
 * paths; with `api`, all.
 */
export function mayGrant(permissions: readonly Permission[], granted: Permission): boolean {
	if (allows(permissions, "api", "")) return true;
	if (!GRANTABLE.has(granted.action)) return false;
	if (allowsEverywhere(permissions, "manage")) return true;
	// Whether one expression fits no more than another one cannot be told, but for the very same.
	if (granted.path === "" || granted.path.startsWith("~"))
		return permissions.some(({ action, path }) => action === "manage" && path === granted.path);
	return allows(permissions, "manage", granted.path);
}

const GRANTABLE: ReadonlySet<Action> = new Set(["publish", "read", "playback"]);

/** Says whether a path is one of those that `pattern` means, as in a permission. Never throws. */
export function fitsPath(pattern: string, path: string): boolean {
	if (pattern === "") return true;
	if (!pattern.startsWith("~")) return pattern === path;
	return isRegExp(pattern.slice(1)) && new RegExp(pattern.slice(1)).test(path);
}
