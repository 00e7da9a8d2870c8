/** Files that hold secrets: readable by their own user alone, and written whole or not at all. */

import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { InputError } from "#shared/problem.ts";

/** `null` when there is none. @throws InputError `config.invalid` if it cannot be read */
export async function readPrivateFile(file: string): Promise<string | null> {
	try {
		return await readFile(file, "utf8");
	} catch (cause) {
		if (isCode(cause, "ENOENT")) return null;
		throw new InputError("config.invalid", `Cannot read ${file}: ${messageOf(cause)}`, { cause });
	}
}

/** Makes a file, unless another process made it first. @throws InputError `config.invalid` */
export async function createPrivateFile(file: string, text: string): Promise<void> {
	await withDraft(file, text, async (draft) => {
		try {
			// A link is made whole or not at all, and never over a file that another process made first.
			await link(draft, file);
		} catch (cause) {
			if (!isCode(cause, "EEXIST")) throw cause;
		} finally {
			await unlink(draft);
		}
	});
}

/** Writes a file, whatever was there. @throws InputError `config.invalid` */
export async function replacePrivateFile(file: string, text: string): Promise<void> {
	await withDraft(file, text, (draft) => rename(draft, file));
}

async function withDraft(file: string, text: string, place: (draft: string) => Promise<void>): Promise<void> {
	const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
	try {
		await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
		await writeFile(draft, text, { mode: 0o600, flag: "wx", flush: true });
		await place(draft);
	} catch (cause) {
		throw new InputError(
			"config.invalid",
			`Cannot write ${file}: ${messageOf(cause)}. Set dataDir to a folder that this user may write`,
			{ cause },
		);
	}
}

function isCode(error: unknown, code: string): boolean {
	return error instanceof Error && "code" in error && error.code === code;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
