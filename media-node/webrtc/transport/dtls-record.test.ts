import { describe, expect, it } from "vitest";
import { readRecords, writeRecord } from "./dtls-record.ts";

describe("readRecords", () => {
	it("reads the records of a datagram as they were written", () => {
		const datagram = Buffer.concat([
			writeRecord(22, 0, 3, Uint8Array.of(1, 2)),
			writeRecord(23, 1, 2 ** 47 + 2 ** 32 + 5, Uint8Array.of(3)),
		]);
		expect(readRecords(datagram)).toMatchObject(
			[
				{ type: 22, version: 0xfefd, epoch: 0, sequence: 3, fragment: new Uint8Array([1, 2]) },
				{ type: 23, version: 0xfefd, epoch: 1, sequence: 2 ** 47 + 2 ** 32 + 5, fragment: new Uint8Array([3]) },
			].map(({ fragment, ...rest }) => ({ ...rest, fragment: Buffer.from(fragment) })),
		);
	});

	it("leaves out what is cut off, and all that follows what is no record", () => {
		const one = writeRecord(22, 0, 3, Uint8Array.of(1, 2, 3, 4));
		for (let length = 0; length < one.length; length++) expect(readRecords(one.subarray(0, length))).toEqual([]);
		for (const [at, value] of [
			[0, 19],
			[0, 24],
			[1, 3],
			[2, 0xfe],
			[11, 0xff],
		] as const) {
			const wrong = Uint8Array.of(...one, ...one);
			wrong[at] = value;
			expect(readRecords(wrong)).toEqual([]);
		}
	});

	it("reads the version of a first ClientHello too, and no more than 32 records", () => {
		const hello = writeRecord(22, 0, 0, Uint8Array.of(1));
		hello[2] = 0xff;
		expect(readRecords(hello)).toHaveLength(1);
		expect(readRecords(Buffer.concat(Array.from({ length: 40 }, () => hello)))).toHaveLength(32);
	});
});
