import { describe, expect, test } from "vitest";
import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import { AUDIO, VIDEO } from "../../test/support/timeline-builders.ts";
import { decodeSpoolFile, encodeSpoolFile } from "./spool-file.ts";

const segment: PendingSegment = {
	startMs: 1_767_225_600_000.5,
	discontinuity: true,
	parts: [
		{
			rendition: VIDEO,
			init: new Uint8Array([1, 2, 3]),
			initHash: "0a1b",
			duration: 2.04,
			bytes: new Uint8Array([10, 13, 0]),
		},
		{ rendition: AUDIO, init: new Uint8Array([4]), initHash: "0c", duration: 2, bytes: new Uint8Array(0) },
	],
};

function fileOf(pending: PendingSegment): Uint8Array {
	return new Uint8Array(Buffer.concat(encodeSpoolFile(pending)));
}

test("a segment is the same after it was a file", () => {
	const read = decodeSpoolFile(fileOf(segment));
	expect({
		...read,
		parts: read.parts.map((part) => ({ ...part, init: part.init.slice(), bytes: part.bytes.slice() })),
	}).toEqual(segment);
});

test("the media bytes are not copied on their way to a file", () => {
	expect(encodeSpoolFile(segment)).toContain(segment.parts[0]!.bytes);
});

describe("a damaged file is found out", () => {
	const file = fileOf(segment);

	test("at every length", () => {
		for (let length = 0; length < file.length; length++) {
			expect(() => decodeSpoolFile(file.subarray(0, length))).toThrow(
				expect.objectContaining({ code: "bytes.malformed" }),
			);
		}
	});

	test("at every bit", () => {
		for (let bit = 0; bit < file.length * 8; bit++) {
			const flipped = file.slice();
			flipped[bit >> 3]! ^= 1 << (bit & 7);
			expect(() => decodeSpoolFile(flipped)).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
		}
	});

	test("when more follows than it says", () => {
		expect(() => decodeSpoolFile(new Uint8Array([...file, 0]))).toThrow("fails its checksum");
	});
});
