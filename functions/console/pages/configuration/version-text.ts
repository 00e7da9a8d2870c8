/** Versions of a configuration in words. */

import type { PathVersionSummary } from "../../../routes/path-history.ts";

/** Who made a version. */
export function authorText({ kind, id, name }: PathVersionSummary["by"]): string {
	if (kind === "unknown") return "Something without a name";
	const who = name === "" ? id : name;
	return kind === "key" ? who : `${who} (token)`;
}

/** What was done. */
export function actionText({ action, restored, isDeleted, version }: PathVersionSummary): string {
	switch (action) {
		case "rollback":
			return `Rolled back to version ${restored ?? "?"}`;
		case "delete":
			return "Deleted";
		case "found":
			return isDeleted
				? "Found deleted by something that keeps no history"
				: "Found written by something that keeps no history";
		default:
			return version === 1 ? "Made" : "Changed";
	}
}
