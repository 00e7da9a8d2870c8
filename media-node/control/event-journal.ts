/**
 * Events that are not in the bucket yet, one file each, so that neither a bucket that is away nor `kill -9` loses one.
 * Names sort by age.
 */

import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { type StreamEvent, streamEventSchema } from "#shared/events/event.ts";
import { parsedJson } from "#shared/json.ts";
import type { Logger } from "../log.ts";

const SUFFIX = ".json";
const DAMAGED_SUFFIX = ".damaged";

export class EventJournal {
	readonly #root: string;

	private constructor(root: string) {
		this.#root = root;
	}

	/** Opens the folder, and gives what an earlier process left in it, oldest first. A damaged file is put aside. */
	static async open(
		root: string,
		log: Logger,
	): Promise<{ journal: EventJournal; leftovers: { name: string; event: StreamEvent }[] }> {
		await mkdir(root, { recursive: true });
		const leftovers: { name: string; event: StreamEvent }[] = [];
		for (const file of (await readdir(root)).sort()) {
			const place = path.join(root, file);
			if (!file.endsWith(SUFFIX)) {
				// A draft that was never finished.
				if (!file.endsWith(DAMAGED_SUFFIX)) await rm(place, { force: true });
				continue;
			}
			const event = parsedJson(streamEventSchema, await readFile(place, "utf8"));
			if (event !== null) leftovers.push({ name: file, event });
			else {
				log.error({ file: place }, "A journaled event is damaged: put aside");
				await rename(place, place + DAMAGED_SUFFIX);
			}
		}
		return { journal: new EventJournal(root), leftovers };
	}

	/** Names the next entry. */
	nameOf(atMs: number, order: number): string {
		return `${String(atMs).padStart(15, "0")}-${String(order).padStart(9, "0")}-${randomBytes(4).toString("hex")}${SUFFIX}`;
	}

	/** Writes an entry, whole or not at all. */
	async write(name: string, event: StreamEvent): Promise<void> {
		const place = path.join(this.#root, name);
		const draft = `${place}.draft`;
		const file = await open(draft, "w", 0o600);
		try {
			await file.writeFile(JSON.stringify(event));
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(draft, place);
	}

	async remove(name: string): Promise<void> {
		await rm(path.join(this.#root, name), { force: true });
	}
}
