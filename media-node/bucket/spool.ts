/** The folder where segments of one path wait while the bucket is away. It survives the process. */

import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PathName } from "#shared/path-name.ts";
import { InputError } from "#shared/problem.ts";
import { pathToKey } from "#shared/store/key.ts";
import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import type { Logger } from "../log.ts";
import { decodeSpoolFile, encodeSpoolFile, MAX_SPOOL_FILE_BYTES } from "./spool-file.ts";

/** A segment in the spool. `order` counts the segments of the path up, over restarts too. */
export type SpoolEntry = { readonly order: number; readonly bytes: number };

const NAME = /^(\d{12})\.segment$/;
const DAMAGED_FOLDER = "damaged";
/** Damaged files are kept for whoever wants to know why; not for ever. */
const MAX_DAMAGED_FILES = 16;

export class Spool {
	readonly #folder: string;
	readonly #maxBytes: number;
	readonly #log: Logger;
	#bytes = 0;
	#items = 0;
	#leftovers: readonly SpoolEntry[] = [];

	private constructor(folder: string, maxBytes: number, log: Logger) {
		this.#folder = folder;
		this.#maxBytes = maxBytes;
		this.#log = log;
	}

	/**
	 * Opens the folder of a path, and finds what an earlier process left in it. One spool of a path may be open at once.
	 * @throws InputError `config.invalid` when the folder cannot be used
	 */
	static async open(root: string, path: PathName, maxBytes: number, log: Logger): Promise<Spool> {
		const spool = new Spool(join(root, pathToKey(path)), maxBytes, log);
		try {
			await mkdir(join(spool.#folder, DAMAGED_FOLDER), { recursive: true });
			await spool.#findLeftovers();
		} catch (cause) {
			throw new InputError("config.invalid", `The spool folder ${spool.#folder} cannot be used: ${String(cause)}`, {
				cause,
			});
		}
		return spool;
	}

	/** What an earlier process left, oldest first. */
	get leftovers(): readonly SpoolEntry[] {
		return this.#leftovers;
	}

	get bytes(): number {
		return this.#bytes;
	}

	get items(): number {
		return this.#items;
	}

	hasRoomFor(bytes: number): boolean {
		return this.#bytes + bytes <= this.#maxBytes;
	}

	/** Writes a segment; it survives a loss of power once this resolves. Fails as the file system does. */
	async write(order: number, segment: PendingSegment): Promise<SpoolEntry> {
		const chunks = encodeSpoolFile(segment);
		const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
		const entry = { order, bytes };
		const temporary = join(this.#folder, `${fileName(order)}.tmp`);
		// Counted before it is there, so that two writes cannot both find room.
		this.#add(entry, 1);
		try {
			await writeDurably(temporary, chunks);
			await rename(temporary, join(this.#folder, fileName(order)));
			await syncFolder(this.#folder);
		} catch (error) {
			this.#add(entry, -1);
			await rm(temporary, { force: true });
			throw error;
		}
		return entry;
	}

	/** Reads a segment back. `null` when its file is damaged: it is put aside then, and is no entry any more. */
	async read(entry: SpoolEntry): Promise<PendingSegment | null> {
		const name = fileName(entry.order);
		try {
			return decodeSpoolFile(await readFile(join(this.#folder, name)));
		} catch (error) {
			this.#log.error(
				{ error, file: join(this.#folder, DAMAGED_FOLDER, name) },
				"A spooled segment is damaged: put aside",
			);
			await this.#quarantine(entry, name);
			return null;
		}
	}

	/** Deletes a segment's file. One that cannot be deleted is logged; it still takes room, and the next process finds it. */
	async remove(entry: SpoolEntry): Promise<void> {
		try {
			await rm(join(this.#folder, fileName(entry.order)), { force: true });
			this.#add(entry, -1);
		} catch (error) {
			this.#log.error({ err: error }, "A spooled segment could not be deleted");
		}
	}

	async #findLeftovers(): Promise<void> {
		const leftovers: SpoolEntry[] = [];
		for (const name of await readdir(this.#folder)) {
			const file = join(this.#folder, name);
			// A segment that was being written when the process died.
			if (name.endsWith(".tmp")) await rm(file, { force: true });
			const order = NAME.exec(name)?.[1];
			if (order === undefined) continue;
			const bytes = (await stat(file)).size;
			const entry = { order: Number(order), bytes };
			this.#add(entry, 1);
			if (bytes > MAX_SPOOL_FILE_BYTES) await this.#quarantine(entry, name);
			else leftovers.push(entry);
		}
		this.#leftovers = leftovers.sort((a, b) => a.order - b.order);
	}

	async #quarantine(entry: SpoolEntry, name: string): Promise<void> {
		this.#add(entry, -1);
		const folder = join(this.#folder, DAMAGED_FOLDER);
		try {
			await rename(join(this.#folder, name), join(folder, name));
			const damaged = (await readdir(folder)).sort();
			for (const old of damaged.slice(0, -MAX_DAMAGED_FILES)) await rm(join(folder, old), { force: true });
		} catch (error) {
			this.#log.error({ err: error }, "A damaged spooled segment could not be put aside");
		}
	}

	#add(entry: SpoolEntry, sign: 1 | -1): void {
		this.#bytes += sign * entry.bytes;
		this.#items += sign;
	}
}

/** Whether segments wait in the spool of a path, which need not be open. */
export async function hasSpooled(root: string, path: PathName): Promise<boolean> {
	const names = await readdir(join(root, pathToKey(path)));
	return names.some((name) => NAME.test(name));
}

function fileName(order: number): string {
	return `${String(order).padStart(12, "0")}.segment`;
}

async function writeDurably(path: string, chunks: readonly Uint8Array[]): Promise<void> {
	await using file = await open(path, "w");
	for (const chunk of chunks) await file.writeFile(chunk);
	await file.sync();
}

/** Makes a new name in a folder survive a loss of power. Windows cannot, and need not. */
async function syncFolder(folder: string): Promise<void> {
	if (process.platform === "win32") return;
	await using handle = await open(folder, "r");
	await handle.sync();
}
