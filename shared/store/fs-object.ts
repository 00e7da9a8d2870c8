import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { throwIfAborted } from "#shared/clock.ts";
import { StoreError } from "#shared/problem.ts";
import { contentTypeOf } from "#shared/store/content-type.ts";
import { diskError } from "#shared/store/fs-error.ts";
import { bodyOfBytes, type ObjectBody, objectBody, streamOf } from "#shared/store/object-body.ts";
import type { ObjectInfo } from "#shared/store/object-store.ts";

/** A body up to this many bytes is read at once, so that no file stays open for it. */
export const MAX_EAGER_BYTES = 256 * 1024;
const CHUNK_BYTES = 256 * 1024;

type Range = { readonly start: number; readonly end: number };

/** What a file's metadata says of the object that it is; `null` if it is not one. */
export function infoOf(key: string, stats: BigIntStats): ObjectInfo | null {
	if (!stats.isFile()) return null;
	return {
		key,
		etag: etagOf(stats),
		size: Number(stats.size),
		contentType: contentTypeOf(key),
		modifiedMs: Number(stats.mtimeNs / 1_000_000n),
	};
}

/** A file is never changed in its place, so what identifies the file identifies the version. */
export function etagOf({ ino, mtimeNs, size }: BigIntStats): string {
	return `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`;
}

/**
 * Reads a part of an open file: up to {@link MAX_EAGER_BYTES} now, more when it is asked for. Then the body owns the
 * file, and closes it when it was read, or cancelled.
 */
export async function openBody(
	handle: FileHandle,
	key: string,
	range: Range,
	signal: AbortSignal | undefined,
): Promise<ObjectBody> {
	const size = range.end - range.start + 1;
	if (size <= MAX_EAGER_BYTES) return bodyOfBytes(await readExactly(handle, range.start, size, signal));
	const translate = (error: unknown) => diskError(error, `read ${key} from the bucket's folder`);
	return objectBody({
		async bytes() {
			try {
				return await readExactly(handle, range.start, size, signal);
			} catch (error) {
				throw translate(error);
			} finally {
				await handle.close();
			}
		},
		stream: () => streamOf(chunksOf(handle, range, signal), { translate, close: () => handle.close() }),
	});
}

async function* chunksOf(
	handle: FileHandle,
	{ start, end }: Range,
	signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
	for (let at = start; at <= end; at += CHUNK_BYTES) {
		yield await readExactly(handle, at, Math.min(CHUNK_BYTES, end + 1 - at), signal);
	}
}

async function readExactly(
	handle: FileHandle,
	start: number,
	size: number,
	signal: AbortSignal | undefined,
): Promise<Uint8Array> {
	const bytes = new Uint8Array(size);
	let length = 0;
	while (length < size) {
		throwIfAborted(signal);
		const { bytesRead } = await handle.read(bytes, length, size - length, start + length);
		if (bytesRead === 0) {
			throw new StoreError("store.unavailable", "A file in the bucket's folder became shorter while it was read");
		}
		length += bytesRead;
	}
	return bytes;
}
