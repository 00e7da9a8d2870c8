import { open } from "node:fs/promises";
import { InputError } from "#shared/problem.ts";

/** Random access to the bytes of a file. */
export interface ByteSource extends AsyncDisposable {
	/** In bytes, when it was opened. */
	readonly size: number;
	/** Up to `length` bytes from `offset` on, in memory of their own: fewer at the end of the file. */
	read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Opens a file for reading.
 *
 * @throws InputError `input.invalid` when it is not there, not a file, or may not be read
 */
export async function openByteSource(file: string): Promise<ByteSource> {
	try {
		const handle = await open(file, "r");
		const stats = await handle.stat();
		if (!stats.isFile()) {
			await handle.close();
			throw new InputError("input.invalid", `${file} is not a file: name a file to play`);
		}
		return {
			size: stats.size,
			read: async (offset, length) => {
				const bytes = new Uint8Array(Math.max(0, Math.min(length, stats.size - offset)));
				let filled = 0;
				while (filled < bytes.length) {
					const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
					if (bytesRead === 0) break;
					filled += bytesRead;
				}
				return bytes.subarray(0, filled);
			},
			[Symbol.asyncDispose]: () => handle.close(),
		};
	} catch (error) {
		if (error instanceof InputError) throw error;
		const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ""] ?? "it cannot be opened";
		throw new InputError("input.invalid", `Cannot play ${file}: ${reason}`, { cause: error });
	}
}

const REASONS: Readonly<Record<string, string>> = {
	ENOENT: "there is no such file",
	ENOTDIR: "there is no such file",
	EISDIR: "it is a folder",
	EACCES: "this user may not read it",
	EPERM: "this user may not read it",
	EMFILE: "too many files are open",
};
