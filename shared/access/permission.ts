/** What a client may do, by MediaMTX's words: a list of actions, each on one path, all of them or those of a regular expression. */

import { z } from "zod";

export const ACTIONS = ["publish", "read", "playback", "api", "metrics", "pprof"] as const;
export const actionSchema = z.enum(ACTIONS);
export type Action = (typeof ACTIONS)[number];

/** A longer expression is refused: it is written by people, and matched on every request. */
const MAX_PATH_PATTERN_LENGTH = 256;

export const permissionSchema = z
	.object({
		action: actionSchema,
		/** Empty: any path. `~` and a regular expression: the paths that it matches. Else that very path. */
		path: z
			.string()
			.max(MAX_PATH_PATTERN_LENGTH)
			.default("")
			.refine((path) => !path.startsWith("~") || isRegExp(path.slice(1)), { message: "is not a regular expression" }),
	})
	.meta({ id: "Permission" });
export type Permission = z.infer<typeof permissionSchema>;

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
const PATHLESS: ReadonlySet<Action> = new Set(["api", "metrics", "pprof"]);

/** Says whether one of `permissions` allows `action` on `path`. Never throws. */
export function allows(permissions: readonly Permission[], action: Action, path: string): boolean {
	return permissions.some(
		(permission) => permission.action === action && (PATHLESS.has(action) || matches(permission.path, path)),
	);
}

function matches(pattern: string, path: string): boolean {
	if (pattern === "") return true;
	if (!pattern.startsWith("~")) return pattern === path;
	return isRegExp(pattern.slice(1)) && new RegExp(pattern.slice(1)).test(path);
}
