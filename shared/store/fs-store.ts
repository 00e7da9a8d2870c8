import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { abortedError, type Clock, systemClock, throwIfAborted } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";
import { resolveRange } from "#shared/store/byte-range.ts";
import { diskError, errorCode, isAbsence } from "#shared/store/fs-error.ts";
import { isFolder, makeFolder, removeEmptyFolder, syncFolder, unlinkIfThere } from "#shared/store/fs-file.ts";
import { FolderLock } from "#shared/store/fs-lock.ts";
import { etagOf, infoOf, MAX_EAGER_BYTES, openBody } from "#shared/store/fs-object.ts";
import { assertDeleteCount, ListPager } from "#shared/store/list-pager.ts";
import { bytesOf } from "#shared/store/object-body.ts";
import { assertObjectKey, compareKeys, isKeyPrefix } from "#shared/store/object-key.ts";
import type {
	Body,
	CallOptions,
	GetOptions,
	ListOptions,
	ListPage,
	ObjectInfo,
	ObjectStore,
	PutOptions,
	PutResult,
	StoredObject,
} from "#shared/store/object-store.ts";

/** The store's own folder in the bucket's: unfinished files and the lock. No key begins with it. */
const OWN_FOLDER = ".sluice";
/** An unfinished file of this age has no living writer. */
const STALE_TEMPORARY_MS = 3_600_000;
/** How often to begin again when a folder goes while a file is put into it: other processes delete empty folders. */
const MAX_TRIES = 20;

export type FsStoreOptions = { readonly root: string; readonly clock?: Clock | undefined };

/**
 * A bucket in a local folder, which any number of processes of one machine may use together. Each object is a plain
 * file at its key, which is written elsewhere, and never changed after it got there: a reader that has opened it has
 * one version of it, and that version's etag. An object gets there by link(2), which does not replace another one, or
 * by rename(2), under the lock, which does.
 */
export class FsStore implements ObjectStore, AsyncDisposable {
	readonly #root: string;
	readonly #temporary: string;
	readonly #clock: Clock;
	readonly #lock: FolderLock;
	#lastStampUs = 0;

	private constructor(root: string, clock: Clock, lock: FolderLock) {
		this.#root = root;
		this.#temporary = path.join(root, OWN_FOLDER, "tmp");
		this.#clock = clock;
		this.#lock = lock;
	}

	/**
	 * Opens the bucket in the folder `root`, makes it if need be, and deletes what dead writers left.
	 * @throws StoreError
	 */
	static async open({ root, clock = systemClock }: FsStoreOptions, signal?: AbortSignal): Promise<FsStore> {
		throwIfAborted(signal);
		const folder = path.resolve(root);
		const temporary = path.join(folder, OWN_FOLDER, "tmp");
		try {
			await mkdir(temporary, { recursive: true });
			await probe(temporary);
			await sweep(temporary, clock.now());
			return new FsStore(folder, clock, new FolderLock(path.join(folder, OWN_FOLDER, "lock"), clock));
		} catch (error) {
			throw diskError(error, `open the bucket's folder ${folder}`);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#lock[Symbol.asyncDispose]();
	}

	async get(key: string, options: GetOptions = {}): Promise<StoredObject | null> {
		const object = await this.#read(key, null, options);
		return object === "unchanged" ? null : object;
	}

	async getIfChanged(key: string, etag: string, options: CallOptions = {}): Promise<StoredObject | "unchanged" | null> {
		return this.#read(key, etag, options);
	}

	async head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | null> {
		const file = this.#fileOf(key);
		throwIfAborted(signal);
		try {
			return infoOf(key, await stat(file, { bigint: true }));
		} catch (error) {
			if (isAbsence(error)) return null;
			throw diskError(error, `read ${key} from the bucket's folder`);
		}
	}

	async put(key: string, body: Body, { signal }: PutOptions = {}): Promise<PutResult> {
		return this.#write(key, body, signal, async (staged, file) => {
			// Most objects are new, and a new one needs no lock.
			const isCreated = await this.#link(staged, file, key);
			if (!isCreated) await this.#lock.hold(() => rename(staged, file), signal);
		});
	}

	async putIfAbsent(key: string, body: Body, { signal }: PutOptions = {}): Promise<PutResult> {
		return this.#write(key, body, signal, async (staged, file) => {
			if (await this.#link(staged, file, key)) return;
			throw new StoreError("store.precondition", `There is an object at ${key} already`);
		});
	}

	async putIfMatch(key: string, body: Body, etag: string, { signal }: PutOptions = {}): Promise<PutResult> {
		return this.#write(key, body, signal, (staged, file) =>
			this.#lock.hold(async () => {
				if ((await this.head(key))?.etag !== etag) {
					throw new StoreError("store.precondition", `The object at ${key} has changed or is gone`);
				}
				await rename(staged, file);
			}, signal),
		);
	}

	async delete(keys: readonly string[], { signal }: CallOptions = {}): Promise<void> {
		assertDeleteCount(keys);
		const files = keys.map((key) => this.#fileOf(key));
		throwIfAborted(signal);
		try {
			await this.#lock.hold(() => Promise.all(files.map(unlinkIfThere)), signal);
			for (const folder of new Set(files.map((file) => path.dirname(file)))) await this.#tidy(folder);
		} catch (error) {
			const more = keys.length > 1 ? ` and ${keys.length - 1} more` : "";
			throw diskError(error, `delete ${keys[0]}${more} from the bucket's folder`);
		}
	}

	async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
		const pager = new ListPager(prefix, options);
		throwIfAborted(options.signal);
		if (!isKeyPrefix(prefix)) return { objects: [], prefixes: [], next: null };
		try {
			await this.#walk(prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix, pager, options.signal);
			const infos = await Promise.all(pager.keys.map((key) => this.head(key)));
			// One that was deleted since the folder was read is not listed.
			const objects = infos.filter((info) => info !== null).map((info) => ({ ...info, contentType: null }));
			return { objects, prefixes: pager.prefixes, next: pager.next };
		} catch (error) {
			throw diskError(error, `list ${JSON.stringify(prefix)} in the bucket's folder`);
		}
	}

	#fileOf(key: string): string {
		assertObjectKey(key);
		if (isOwn(key)) throw new StoreError("store.refused", `The key ${key} begins with the store's own ${OWN_FOLDER}`);
		return path.join(this.#root, ...key.split("/"));
	}

	async #read(key: string, unlessEtag: string | null, options: GetOptions): Promise<StoredObject | "unchanged" | null> {
		const file = this.#fileOf(key);
		throwIfAborted(options.signal);
		let handle: FileHandle | null = null;
		try {
			handle = await open(file, "r");
			const info = infoOf(key, await handle.stat({ bigint: true }));
			if (info === null) return null;
			if (info.etag === unlessEtag) return "unchanged";
			const range = resolveRange(options.range, info.size);
			const body = await openBody(handle, key, range, options.signal);
			// A body that is read later closes its file itself.
			if (range.end - range.start + 1 > MAX_EAGER_BYTES) handle = null;
			return { ...info, range, ...body };
		} catch (error) {
			if (isAbsence(error)) return null;
			throw diskError(error, `read ${key} from the bucket's folder`);
		} finally {
			await handle?.close();
		}
	}

	/** Writes a file aside, and lets `commit` bring it to its place. */
	async #write(
		key: string,
		body: Body,
		signal: AbortSignal | undefined,
		commit: (staged: string, file: string) => Promise<void>,
	): Promise<PutResult> {
		const file = this.#fileOf(key);
		throwIfAborted(signal);
		const staged = path.join(this.#temporary, randomUUID());
		try {
			const etag = await this.#stage(staged, body, signal);
			for (let tries = 1; ; tries++) {
				throwIfAborted(signal);
				try {
					if (tries > 1) await this.#makeFolders(path.dirname(file));
					await commit(staged, file);
					break;
				} catch (error) {
					if (errorCode(error) !== "ENOENT" || tries === MAX_TRIES) throw error;
				}
			}
			await syncFolder(path.dirname(file));
			return { etag };
		} catch (error) {
			throw diskError(error, `write ${key} to the bucket's folder`);
		} finally {
			await unlinkIfThere(staged);
		}
	}

	async #stage(file: string, body: Body, signal: AbortSignal | undefined): Promise<string> {
		const handle = await open(file, "wx");
		try {
			await handle.writeFile(bytesOf(body), { signal });
			const seconds = this.#stampUs() / 1_000_000;
			await handle.utimes(seconds, seconds);
			await handle.sync();
			return etagOf(await handle.stat({ bigint: true }));
		} catch (error) {
			throw signal?.aborted ? abortedError(signal) : error;
		} finally {
			await handle.close();
		}
	}

	/**
	 * The time of a write in microseconds, never the same twice. File systems stamp files by a clock that ticks every few
	 * milliseconds, and use inode numbers again: without this, two versions could look the same.
	 */
	#stampUs(): number {
		// Not on the millisecond, which a rounding error would turn into the one before.
		const now = Math.floor(this.#clock.now()) * 1000 + 1 + Math.floor(Math.random() * 998);
		this.#lastStampUs = Math.max(now, this.#lastStampUs + 1);
		return this.#lastStampUs;
	}

	/** Puts a finished file where nothing is. Says whether nothing was. */
	async #link(staged: string, file: string, key: string): Promise<boolean> {
		try {
			await link(staged, file);
			return true;
		} catch (error) {
			if (errorCode(error) !== "EEXIST") throw error;
			if (!(await isFolder(file))) return false;
			throw new StoreError("store.refused", `There are objects below ${key}/: a folder cannot hold one at ${key} too`);
		}
	}

	/** Makes the folders on the way to `folder`. Not the bucket's own: if that is gone, so are the objects in it. */
	async #makeFolders(folder: string): Promise<void> {
		if (folder === this.#root) return;
		let at = this.#root;
		for (const name of path.relative(this.#root, folder).split(path.sep)) {
			const parent = at;
			at = path.join(parent, name);
			if (await makeFolder(at)) await syncFolder(parent);
		}
	}

	/** Deletes a folder and those above it, as far as they are empty. */
	async #tidy(folder: string): Promise<void> {
		let at = folder;
		while (at !== this.#root && (await removeEmptyFolder(at))) at = path.dirname(at);
		await syncFolder(at);
	}

	/** Gives a page the keys below `folder` in order. Says whether it wants more. */
	async #walk(folder: string, prefix: string, pager: ListPager, signal: AbortSignal | undefined): Promise<boolean> {
		throwIfAborted(signal);
		for (const key of await this.#keysIn(folder)) {
			if (!key.startsWith(prefix) || pager.skips(key)) continue;
			const wantsMore = key.endsWith("/") ? await this.#walk(key, prefix, pager, signal) : pager.add(key);
			if (!wantsMore) return false;
		}
		return true;
	}

	/** The keys directly in `folder`, and the folders in it with a slash behind them, in order. */
	async #keysIn(folder: string): Promise<string[]> {
		let entries: Dirent[];
		try {
			entries = await readdir(path.join(this.#root, folder), { withFileTypes: true });
		} catch (error) {
			if (isAbsence(error)) return [];
			throw error;
		}
		return entries
			.filter((entry) => entry.isFile() || entry.isDirectory())
			.map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
			.filter((key) => !isOwn(key) && isKeyPrefix(key))
			.sort(compareKeys);
	}
}

/** Fails now, and not at the first write, where files cannot be made or linked. */
async function probe(folder: string): Promise<void> {
	const file = path.join(folder, randomUUID());
	const other = `${file}-link`;
	try {
		await (await open(file, "wx")).close();
		await link(file, other);
	} finally {
		await unlinkIfThere(other);
		await unlinkIfThere(file);
	}
}

/** Deletes the files of dead writers. */
async function sweep(folder: string, nowMs: number): Promise<void> {
	for (const name of await readdir(folder)) {
		const file = path.join(folder, name);
		try {
			if (nowMs - (await stat(file)).mtimeMs > STALE_TEMPORARY_MS) await unlink(file);
		} catch (error) {
			// Its writer may have finished, or another process swept it.
			if (!isAbsence(error)) throw error;
		}
	}
}

function isOwn(key: string): boolean {
	// Without regard to case, since some file systems have none.
	return key.split("/", 1)[0]?.toLowerCase() === OWN_FOLDER;
}
