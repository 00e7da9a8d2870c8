import type { StoredObject } from "#shared/store/object-store.ts";

export type ObjectBody = Pick<StoredObject, "bytes" | "text" | "stream">;

/** Makes the body of a {@link StoredObject} of two ways to read it, and sees to it that it is read once. */
export function objectBody(read: { bytes(): Promise<Uint8Array>; stream(): ReadableStream<Uint8Array> }): ObjectBody {
	let isRead = false;
	const once = () => {
		if (isRead) throw new TypeError("The body of a stored object can be read once");
		isRead = true;
	};
	return {
		async bytes() {
			once();
			return read.bytes();
		},
		async text() {
			once();
			return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await read.bytes());
		},
		stream() {
			once();
			return read.stream();
		},
	};
}

/** The body of an object that is in memory. Readers get their own copy. */
export function bodyOfBytes(bytes: Uint8Array): ObjectBody {
	return objectBody({
		bytes: async () => bytes.slice(),
		stream: () => streamOf([bytes.slice()]),
	});
}

type StreamOptions = {
	/** Makes an error of the chunks ours. */
	translate?(error: unknown): unknown;
	/** Lets go of what the chunks come from. Called once: at the end, at an error, or when the stream is cancelled. */
	close?(): Promise<void>;
};

/** A stream of chunks, which are taken one by one as they are read. */
export function streamOf(
	chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	{ translate = (error) => error, close = async () => {} }: StreamOptions = {},
): ReadableStream<Uint8Array> {
	const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				try {
					let next = await iterator.next();
					// An empty chunk would leave the reader waiting for another pull.
					while (!next.done && next.value.length === 0) next = await iterator.next();
					if (!next.done) {
						controller.enqueue(next.value);
						return;
					}
					await close();
					controller.close();
				} catch (error) {
					controller.error(translate(error));
					await close();
				}
			},
			async cancel() {
				await iterator.return?.();
				await close();
			},
		},
		{ highWaterMark: 0 },
	);
}

/** The bytes that a `Body` is. */
export function bytesOf(body: Uint8Array | string): Uint8Array {
	return typeof body === "string" ? new TextEncoder().encode(body) : body;
}
