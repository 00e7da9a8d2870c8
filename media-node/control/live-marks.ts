/**
 * Remembers on disk which streams are live, so that a node that was killed can say after its restart that they went
 * offline: every `stream.online` is followed by a `stream.offline`.
 */

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { parsedJson } from "#shared/json.ts";
import { isPathName, type PathName } from "#shared/path-name.ts";
import { pathToKey } from "#shared/store/key.ts";
import type { Logger } from "../log.ts";

const markSchema = z.object({ path: z.string().refine(isPathName), streamId: z.string(), sinceMs: z.number() });
export type LiveMark = z.infer<typeof markSchema>;

export class LiveMarks implements AsyncDisposable {
	readonly #root: string;
	readonly #log: Logger;
	/** Marks are set and taken in order. */
	#last: Promise<void> = Promise.resolve();

	private constructor(root: string, log: Logger) {
		this.#root = root;
		this.#log = log;
	}

	/** Opens the folder, and takes the marks that an earlier process left: its streams ended with it. */
	static async open(root: string, log: Logger): Promise<{ marks: LiveMarks; left: LiveMark[] }> {
		await mkdir(root, { recursive: true });
		const left: LiveMark[] = [];
		for (const file of await readdir(root)) {
			const mark = parsedJson(markSchema, await readFile(path.join(root, file), "utf8"));
			if (mark !== null) left.push(mark);
			await rm(path.join(root, file), { force: true });
		}
		return { marks: new LiveMarks(root, log), left };
	}

	set(mark: LiveMark): void {
		this.#then(() => writeFile(this.#fileOf(mark.path), JSON.stringify(mark)));
	}

	take(name: PathName): void {
		this.#then(() => rm(this.#fileOf(name), { force: true }));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#last;
	}

	#then(step: () => Promise<void>): void {
		this.#last = this.#last.then(step).catch((error: unknown) => {
			this.#log.error(
				{ err: error },
				"What is live could not be noted on disk: after a crash, its stream.offline would be missing",
			);
		});
	}

	#fileOf(name: PathName): string {
		return path.join(this.#root, `${pathToKey(name)}.json`);
	}
}
