import fc from "fast-check";
import { expect, test } from "vitest";
import { putU16, putU32 } from "../../media-node/bytes/big-endian.ts";
import { addToFecSum, FEC_SUM_HEAD_BYTES, MAX_PROTECTED_BYTES, newFecSum } from "../../media-node/rtp/fec-sum.ts";
import { MAX_FLEXFEC_SPAN, readFlexfec, writeFlexfec } from "../../media-node/rtp/flexfec.ts";
import { type RedBlock, readRed } from "../../media-node/rtp/red.ts";
import { newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { MAX_ULPFEC_SPAN, readUlpfec, writeUlpfec } from "../../media-node/rtp/ulpfec.ts";
import { FecReceiver } from "../../media-node/webrtc/receive/fec-receiver.ts";
import { mutated } from "../support/mutate.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const SSRC = 0x1111;
const PAYLOAD_TYPE = 96;
const IDS = { mid: 1, rid: 0, repairedRid: 0, absSendTime: 2, transportSequence: 3 };

/** With an extension whose transport-wide number differs from packet to packet, and is not protected. */
function media(sequence: number, size: number): Uint8Array {
	const bytes = new Uint8Array(20 + size).fill(sequence & 0xff);
	bytes.set([0x90, PAYLOAD_TYPE]);
	putU16(bytes, 2, sequence);
	putU32(bytes, 4, 9_000);
	putU32(bytes, 8, SSRC);
	bytes.set([0xbe, 0xde, 0, 1, 0x31, 0, 0, 0], 12);
	return bytes;
}

const packets = Array.from({ length: 40 }, (_, i) => media((65_520 + i) & 0xffff, 10 + i));
const sum = newFecSum();
for (const packet of packets.slice(0, 4)) addToFecSum(sum, packet, 0, packet.length);
const written = (write: (out: Uint8Array) => number) => {
	const out = new Uint8Array(2_000);
	return out.slice(0, write(out));
};
const ULPFEC = [
	written((out) => writeUlpfec(out, 0, sum, 65_520, [0, 1, 2, 3])),
	written((out) => writeUlpfec(out, 0, sum, 65_520, [0, 1, 2, 30])),
];
const FLEXFEC = [14, 15, 45, 46, 108].map((last) =>
	written((out) => writeFlexfec(out, 0, sum, SSRC, 65_520, [0, 1, 2, last])),
);

test("damaged FEC packets are read within bounds, or not at all", () => {
	fc.assert(
		fc.property(mutated(ULPFEC, 6), mutated(FLEXFEC, 6), (ulpfec, flexfec) => {
			const into = newFecSum();
			const sequences = readUlpfec(into, ulpfec, 0, ulpfec.length);
			if (sequences !== null) expect(sequences.length).toBeLessThanOrEqual(MAX_ULPFEC_SPAN);
			const cover = readFlexfec(into, flexfec, 0, flexfec.length);
			if (cover !== null) expect(cover.sequences.length).toBeLessThanOrEqual(MAX_FLEXFEC_SPAN);
			expect(into.length).toBeLessThanOrEqual(MAX_PROTECTED_BYTES);
			expect(into.bytes.length).toBe(FEC_SUM_HEAD_BYTES + MAX_PROTECTED_BYTES);
		}),
		{ seed, numRuns: 2_000 },
	);
});

test("any bytes are a payload of RED that lies within them, or none", () => {
	const block: RedBlock = { payloadType: 0, offset: 0, length: 0 };
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
			if (!readRed(block, bytes, 0, bytes.length)) return;
			expect(block.offset + block.length).toBe(bytes.length);
			expect(block.offset).toBeGreaterThan(0);
			expect(block.payloadType).toBeLessThan(128);
		}),
		{ seed, numRuns: 2_000 },
	);
});

test("a receiver of damaged packets and FEC packets gives whole packets of its own source only", () => {
	const event = fc.oneof(
		fc.record({ kind: fc.constant("media" as const), bytes: mutated(packets, 1) }),
		fc.record({ kind: fc.constant("ulpfec" as const), bytes: mutated(ULPFEC, 2) }),
		fc.record({ kind: fc.constant("flexfec" as const), bytes: mutated(FLEXFEC, 2) }),
	);
	const packet = newRtpPacket();
	fc.assert(
		fc.property(fc.array(event, { maxLength: 80 }), fc.nat(65_535), (events, sequence) => {
			let given = 0;
			const receiver = new FecReceiver({
				...{ ssrc: SSRC, codec: "VP8", payloadType: PAYLOAD_TYPE, extensions: IDS },
				onRecovered: (bytes) => {
					given++;
					expect(readRtpPacket(packet, bytes, 0, bytes.length)).toBe(true);
					expect(packet).toMatchObject({ ssrc: SSRC, payloadType: PAYLOAD_TYPE });
				},
				onNotMedia: () => {},
			});
			for (const { kind, bytes } of events) {
				if (kind === "ulpfec") receiver.ulpfec(sequence, bytes, 0, bytes.length, 0);
				else if (kind === "flexfec") receiver.flexfec(bytes, 0, bytes.length, 0);
				else if (readRtpPacket(packet, bytes, 0, bytes.length)) {
					receiver.keep(packet, bytes, 0, packet.payloadOffset, bytes.length, true);
				}
				receiver.repair();
			}
			expect(given).toBe(receiver.recovered);
		}),
		{ seed, numRuns: 500 },
	);
});
