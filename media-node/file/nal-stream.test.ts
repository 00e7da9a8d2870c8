import { expect, it } from "vitest";
import { splitAnnexB } from "../codecs/annexb.ts";
import type { ByteSource } from "./byte-source.ts";
import { MAX_NAL_BYTES, readNals } from "./nal-stream.ts";

function sourceOf(bytes: Uint8Array): ByteSource {
	return {
		size: bytes.length,
		read: async (offset, length) => bytes.slice(offset, offset + length),
		[Symbol.asyncDispose]: async () => {},
	};
}

async function nalsOf(bytes: Uint8Array): Promise<Uint8Array[]> {
	const nals: Uint8Array[] = [];
	for await (const nal of readNals(sourceOf(bytes), "film.h264")) nals.push(nal);
	return nals;
}

const CHUNK_BYTES = 256 * 1024;

it("finds the same NAL units as in one piece, wherever a read of the file cuts a start code", async () => {
	for (let shift = -8; shift <= 8; shift++) {
		const bytes = new Uint8Array(CHUNK_BYTES * 2 + 500).fill(9);
		for (const at of [2, 40, CHUNK_BYTES + shift, CHUNK_BYTES + shift + 5, CHUNK_BYTES * 2 + shift]) {
			bytes.set([0, 0, 0, 1], at);
		}
		expect(await nalsOf(bytes), `${shift}`).toEqual(splitAnnexB(bytes));
	}
});

it("gives a NAL unit of several reads whole, and refuses one without end", async () => {
	const bytes = new Uint8Array(CHUNK_BYTES * 5).fill(7);
	bytes.set([0, 0, 1]);
	expect((await nalsOf(bytes)).map(({ length }) => length)).toEqual([bytes.length - 3]);
	const endless = new Uint8Array(MAX_NAL_BYTES + CHUNK_BYTES).fill(7);
	endless.set([0, 0, 1]);
	await expect(nalsOf(endless)).rejects.toMatchObject({
		code: "bytes.limit",
		message: expect.stringContaining("film.h264"),
	});
});

it("finds nothing in what has no start code", async () => {
	expect(await nalsOf(new Uint8Array(CHUNK_BYTES * 2))).toEqual([]);
	expect(await nalsOf(new Uint8Array(0))).toEqual([]);
});
