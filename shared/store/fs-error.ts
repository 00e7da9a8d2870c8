import { SluiceError, StoreError } from "#shared/problem.ts";

/** Trying again will not help until a person changes something. */
const REFUSALS: Readonly<Record<string, string>> = {
	EACCES: "the process may not; check who owns the folder",
	EPERM: "the process may not, or the file system has no hard links",
	ENOTSUP: "the file system has no hard links, which conditional writes need",
	EROFS: "the file system is read-only",
	ENAMETOOLONG: "the name is too long for the file system",
	ENOTDIR: "a part of the way there is a file",
	EEXIST: "there is a file in the place of a folder",
	EISDIR: "there is a folder in the place of a file",
	EXDEV: "the folder spans file systems",
	ELOOP: "there are too many symbolic links",
};

/** These may pass, as does what is in neither table. */
const FAILURES: Readonly<Record<string, string>> = {
	ENOSPC: "the disk is full",
	EDQUOT: "the disk quota is used up",
	EMFILE: "the process has too many files open",
	ENFILE: "the system has too many files open",
	ENOENT: "the folder, or what was in it a moment ago, is gone",
};

/**
 * Makes a StoreError of what the file system said. `what` says what could not be done. What is a SluiceError already,
 * or is not the system's, stays itself.
 */
export function diskError(error: unknown, what: string): unknown {
	if (error instanceof SluiceError) return error;
	const code = errorCode(error);
	if (code === null) return error;
	const refusal = REFUSALS[code];
	const why = refusal ?? FAILURES[code] ?? (error instanceof Error ? error.message : "");
	const message = `Cannot ${what}: ${why} (${code})`;
	return new StoreError(refusal === undefined ? "store.unavailable" : "store.refused", message, { cause: error });
}

/** The code of a system error, such as `ENOENT`, or `null`. */
export function errorCode(error: unknown): string | null {
	return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** Says whether an error means that there is no such file. */
export function isAbsence(error: unknown): boolean {
	const code = errorCode(error);
	return code === "ENOENT" || code === "ENOTDIR";
}
