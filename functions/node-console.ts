/** The console out of a folder: for the entries that have a disk. */

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ConsoleFile, ConsoleFiles } from "./console-files.ts";

/** From the root of the sources, and of what Lambda unpacks. */
const BUILD = "functions/console/dist";

const TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
	".woff2": "font/woff2",
	".json": "application/json",
};
const COMPRESSIBLE = new Set([".html", ".js", ".css", ".svg", ".json"]);

const compress = promisify(gzip);

type Files = ReadonlyMap<string, () => Promise<ConsoleFile | null>>;

/** The console that was built below `root`: the sources, if it is left out. */
export function builtConsole(root: string = path.resolve(import.meta.dirname, "..")): ConsoleFiles {
	return consoleFolder(path.join(root, BUILD));
}

/**
 * The files that are in a folder when it is looked at, and no others: a name that is not among them is never looked up.
 * It is looked at again when there was no build yet, or when another build has taken its place.
 */
export function consoleFolder(folder: string): ConsoleFiles {
	let files = filesIn(folder);
	return {
		async get(name) {
			if (!files.has("index.html")) files = filesIn(folder);
			const ask = files.get(name);
			const file = (await ask?.()) ?? null;
			if (file === null && ask !== undefined) files = filesIn(folder);
			return file;
		},
	};
}

/** They are read once, when they are first asked for, and kept. */
function filesIn(folder: string): Files {
	return new Map(namesIn(folder).map((name) => [name, once(() => load(path.join(folder, name)))]));
}

/** With slashes, whatever the system has. Empty where there is no folder. */
function namesIn(folder: string): string[] {
	try {
		const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
		return entries
			.filter((entry) => entry.isFile())
			.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"));
	} catch (error) {
		if (isMissing(error)) return [];
		throw error;
	}
}

/** `null`: another build has taken the place of the one that was there. */
async function load(file: string): Promise<ConsoleFile | null> {
	const read = await readFile(file).catch((error: unknown) => {
		if (isMissing(error)) return null;
		throw error;
	});
	if (read === null) return null;
	const body = new Uint8Array(read);
	const extension = path.extname(file);
	const contentType = TYPES[extension] ?? "application/octet-stream";
	if (!COMPRESSIBLE.has(extension)) return { body, contentType };
	return { body, gzip: new Uint8Array(await compress(body)), contentType };
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Asks once, and again only after a failure. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
	let answer: Promise<T> | null = null;
	return () => {
		answer ??= ask().catch((error: unknown) => {
			answer = null;
			throw error;
		});
		return answer;
	};
}
