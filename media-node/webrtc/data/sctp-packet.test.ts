import { describe, expect, it } from "vitest";
import {
	parseSctp,
	SctpChunkType,
	type SctpPacket,
	sctpChecksum,
	tsnAfter,
	tsnDistance,
	writeSctp,
} from "./sctp-packet.ts";

const packet: SctpPacket = {
	...{ sourcePort: 5000, destinationPort: 5001, tag: 0x01020304 },
	chunks: [
		{ type: SctpChunkType.heartbeat, flags: 0, body: Uint8Array.of(1, 2, 3, 4, 5) },
		{ type: SctpChunkType.cookieAck, flags: 3, body: new Uint8Array(0) },
	],
};

describe("packets of SCTP", () => {
	it("have the checksums of RFC 3720 B.4", () => {
		expect(sctpChecksum(new Uint8Array(32))).toBe(0xaa36918a);
		// 32 bytes of ones, but for the field of the checksum, which counts as 0: the vector itself has none.
		const ones = new Uint8Array(32).fill(0xff);
		const withoutField = ones.slice().fill(0, 8, 12);
		expect(sctpChecksum(ones)).toBe(sctpChecksum(withoutField));
	});

	it("are read as they were written, with chunks padded to four bytes", () => {
		const bytes = writeSctp(packet);
		expect(bytes).toHaveLength(12 + 12 + 4);
		expect(parseSctp(bytes)).toEqual(packet);
	});

	it("are the ones that another implementation writes and reads", async () => {
		const path = "../../../node_modules/werift/lib/sctp/src/chunk.js";
		const { parsePacket, serializePacket, HeartbeatChunk } = await import(path);
		const bytes = writeSctp(packet);
		const [source, destination, tag, chunks] = parsePacket(Buffer.from(bytes));
		expect([source, destination, tag, chunks.length]).toEqual([5000, 5001, 0x01020304, 2]);
		const chunk = new HeartbeatChunk(0, Buffer.of(0, 1, 0, 8, 9, 9, 9, 9));
		const theirs: Uint8Array = serializePacket(7, 8, 9, chunk);
		expect(parseSctp(theirs)).toMatchObject({ sourcePort: 7, destinationPort: 8, tag: 9, chunks: [{ type: 4 }] });
	});

	it("are refused when they are cut off or when a bit is different", () => {
		const bytes = writeSctp(packet);
		for (let length = 0; length < bytes.length; length++) expect(parseSctp(bytes.subarray(0, length))).toBeNull();
		for (let at = 0; at < bytes.length; at++) {
			const damaged = bytes.slice();
			damaged[at] = (damaged[at] as number) ^ 0x10;
			expect(parseSctp(damaged)).toBeNull();
		}
	});

	it("are refused with chunks that are longer than they, or shorter than their own header", () => {
		for (const length of [0, 3, 29, 0xffff]) {
			const bytes = writeSctp(packet);
			new DataView(bytes.buffer).setUint16(14, length);
			new DataView(bytes.buffer).setUint32(8, sctpChecksum(bytes));
			expect(parseSctp(bytes)).toBeNull();
		}
	});
});

describe("transmission sequence numbers", () => {
	it("go on after the last one with the first", () => {
		expect(tsnAfter(0xffff_ffff)).toBe(0);
		expect(tsnAfter(0, -1)).toBe(0xffff_ffff);
		expect(tsnDistance(2, 0xffff_fffe)).toBe(4);
		expect(tsnDistance(0xffff_fffe, 2)).toBe(-4);
	});
});
