import { InputError } from "#shared/problem.ts";

/** The name of a path, such as `cam01` or `site/gate-2`. Made only by {@link parsePathName}. */
export type PathName = string & { readonly __brand: "PathName" };

/** Longer names would not fit into the object keys of every bucket (1024 bytes). */
export const MAX_PATH_NAME_LENGTH = 255;

const ALLOWED = /^[0-9a-zA-Z_\-/.]+$/;

/**
 * Checks a path name by MediaMTX's rules: letters, digits, `_`, `-`, `.` and `/`; no slash at either end, no empty,
 * `.` or `..` segment.
 * @throws InputError `path.name`
 */
export function parsePathName(text: string): PathName {
	const fault = pathNameFault(text);
	if (fault !== null) throw new InputError("path.name", `Path name ${JSON.stringify(text.slice(0, 80))} ${fault}`);
	return text as PathName;
}

/** Says whether `text` is a valid path name. Never throws. */
export function isPathName(text: string): text is PathName {
	return pathNameFault(text) === null;
}

function pathNameFault(text: string): string | null {
	if (text.length === 0) return "is empty";
	if (text.length > MAX_PATH_NAME_LENGTH) return `is longer than ${MAX_PATH_NAME_LENGTH} characters`;
	if (!ALLOWED.test(text)) return "has a character other than letters, digits, _ - . and /";
	if (text.startsWith("/") || text.endsWith("/")) return "begins or ends with a slash";
	if (text.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
		return "has an empty, . or .. segment";
	}
	return null;
}
