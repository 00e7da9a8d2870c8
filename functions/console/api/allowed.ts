import type { Me } from "../../routes/me.ts";

export type ConsoleAction = "view" | "manage" | "api";

/** What an action is part of. */
const GRANTED_BY: Readonly<Record<ConsoleAction, readonly string[]>> = {
	view: ["view", "manage", "api"],
	manage: ["manage", "api"],
	api: ["api"],
};

/**
 * Says whether somebody with `permissions` would be let in: on `path`, or without one anywhere. The functions decide;
 * this only keeps people from what they would be refused.
 */
export function isAllowed(permissions: Me["permissions"], action: ConsoleAction, path?: string): boolean {
	return permissions.some(
		(permission) =>
			GRANTED_BY[action].includes(permission.action) &&
			(path === undefined || permission.action === "api" || fits(permission.path, path)),
	);
}

/** Empty: any path. `~` and a regular expression: what it matches. */
function fits(pattern: string, path: string): boolean {
	if (pattern === "") return true;
	if (!pattern.startsWith("~")) return pattern === path;
	try {
		return new RegExp(pattern.slice(1)).test(path);
	} catch {
		// An expression that this engine does not know allows nothing.
		return false;
	}
}
