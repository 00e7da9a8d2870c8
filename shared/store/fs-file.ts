import { mkdir, open, rmdir, stat, unlink } from "node:fs/promises";
import { errorCode, isAbsence } from "#shared/store/fs-error.ts";

export async function isFolder(file: string): Promise<boolean> {
	try {
		return (await stat(file)).isDirectory();
	} catch (error) {
		if (isAbsence(error)) return false;
		throw error;
	}
}

/**
 * Makes a folder in one that is there. Says whether it is new. (Node's recursive way fails in odd ways when others
 * delete folders at the same time.)
 */
export async function makeFolder(folder: string): Promise<boolean> {
	try {
		await mkdir(folder);
		return true;
	} catch (error) {
		if (errorCode(error) === "EEXIST") return false;
		throw error;
	}
}

/** Deletes a file. That there is none, or a folder, is fine. */
export async function unlinkIfThere(file: string): Promise<void> {
	try {
		await unlink(file);
	} catch (error) {
		// A folder gives EISDIR on Linux, EPERM elsewhere.
		if (!isAbsence(error) && !(await isFolder(file))) throw error;
	}
}

/** Deletes a folder if it is empty. Says whether it is gone. */
export async function removeEmptyFolder(folder: string): Promise<boolean> {
	try {
		await rmdir(folder);
		return true;
	} catch (error) {
		// It is not empty, or not ours to delete: then it stays, which harms nobody.
		return errorCode(error) === "ENOENT";
	}
}

/** Makes the names in a folder last through a power cut. One that is gone has none. */
export async function syncFolder(folder: string): Promise<void> {
	// Windows cannot, and does it by itself.
	if (process.platform === "win32") return;
	try {
		await using handle = await open(folder, "r");
		await handle.sync();
	} catch (error) {
		if (!isAbsence(error)) throw error;
	}
}
