import { describe, expect, it } from "vitest";
import { putU16, putU32 } from "../../bytes/big-endian.ts";
import { addToFecSum, newFecSum } from "../../rtp/fec-sum.ts";
import { writeFlexfec } from "../../rtp/flexfec.ts";
import { newRtpPacket, readRtpPacket } from "../../rtp/rtp-packet.ts";
import { writeUlpfec } from "../../rtp/ulpfec.ts";
import { FEC_SILENT_MS, FecReceiver, MAX_WAITING_FEC } from "./fec-receiver.ts";
import { zeroMutableExtensions } from "./fec-window.ts";

const SSRC = 0x1111;
const IDS = { mid: 0, rid: 0, repairedRid: 0, absSendTime: 2, transportSequence: 3 };

/** A packet of VP8 of a picture, with what senders put in last: a time and a number on the path. */
function media(sequence: number, picture: number, place: "first" | "last" | "both" | "middle" = "middle"): Uint8Array {
	const bytes = new Uint8Array(12 + 12 + 6).fill(sequence & 0xff);
	bytes.set([0x90, place === "last" || place === "both" ? 0x80 | 96 : 96]);
	putU16(bytes, 2, sequence);
	putU32(bytes, 4, picture * 3_000);
	putU32(bytes, 8, SSRC);
	bytes.set([0xbe, 0xde, 0, 2, 0x31, sequence >> 8, sequence & 0xff, 0x22, 1, 2, sequence & 0xff, 0], 12);
	bytes.set([place === "first" || place === "both" ? 0x90 : 0x80, 0x80, 0x80, picture], 24);
	return bytes;
}

/** What is recovered: without what is put in last. */
function plain(bytes: Uint8Array): Uint8Array {
	const copy = Uint8Array.from(bytes);
	zeroMutableExtensions(copy, copy.length, IDS);
	return copy;
}

function fecOf(
	kind: "ulpfec" | "flexfec",
	packets: readonly Uint8Array[],
	base: number,
	distances: number[],
): Uint8Array {
	const sum = newFecSum();
	for (const packet of packets) addToFecSum(sum, plain(packet), 0, packet.length);
	const out = new Uint8Array(1_600);
	const length =
		kind === "ulpfec" ? writeUlpfec(out, 0, sum, base, distances) : writeFlexfec(out, 0, sum, SSRC, base, distances);
	return out.slice(0, length);
}

class World {
	readonly recovered: Uint8Array[] = [];
	readonly notMedia: number[] = [];
	readonly receiver = new FecReceiver({
		...{ ssrc: SSRC, codec: "VP8", payloadType: 96, extensions: IDS },
		onRecovered: (bytes) => this.recovered.push(bytes),
		onNotMedia: (sequence) => this.notMedia.push(sequence),
	});

	media(bytes: Uint8Array, asSent = true): void {
		const packet = newRtpPacket();
		expect(readRtpPacket(packet, bytes, 0, bytes.length)).toBe(true);
		this.receiver.keep(packet, bytes, 0, packet.payloadOffset, bytes.length, asSent);
		this.receiver.repair();
	}

	flexfec(bytes: Uint8Array, nowMs = 0): void {
		this.receiver.flexfec(bytes, 0, bytes.length, nowMs);
		this.receiver.repair();
	}

	ulpfec(sequence: number, bytes: Uint8Array, nowMs = 0): void {
		this.receiver.ulpfec(sequence, bytes, 0, bytes.length, nowMs);
		this.receiver.repair();
	}

	/** Begins to keep packets, which it does not before it saw that there is FEC. */
	start(): void {
		this.flexfec(new Uint8Array(0));
	}
}

const four = [10, 11, 12, 13].map((sequence) => media(sequence, 1));

describe("a receiver of FEC", () => {
	it("recovers a packet that is lost, whether the FEC packet comes last or before others", () => {
		for (const isLast of [true, false]) {
			const world = new World();
			world.start();
			const fec = fecOf("flexfec", four, 10, [0, 1, 2, 3]);
			world.media(four[0]!);
			if (!isLast) world.flexfec(fec);
			world.media(four[3]!);
			world.media(four[1]!);
			if (isLast) world.flexfec(fec);
			expect(world.recovered).toEqual([plain(four[2]!)]);
		}
	});

	it("recovers by one FEC packet what another one needs", () => {
		const world = new World();
		world.start();
		world.media(four[0]!);
		world.media(four[3]!);
		world.flexfec(fecOf("flexfec", [four[0]!, four[1]!, four[2]!], 10, [0, 1, 2]));
		expect(world.recovered).toEqual([]);
		world.flexfec(fecOf("flexfec", [four[1]!, four[3]!], 11, [0, 2]));
		expect(world.recovered).toEqual([plain(four[1]!), plain(four[2]!)]);
	});

	it("neither recovers what came by a retransmission, nor uses its bytes, which differ", () => {
		const world = new World();
		world.start();
		for (const bytes of four.slice(0, 3)) world.media(bytes);
		world.media(four[3]!, false);
		world.flexfec(fecOf("flexfec", four, 10, [0, 1, 2, 3]));
		expect(world.recovered).toEqual([]);
		const other = new World();
		other.start();
		other.media(four[0]!);
		other.media(four[1]!);
		other.media(four[3]!, false);
		other.flexfec(fecOf("flexfec", four, 10, [0, 1, 2, 3]));
		expect(other.recovered).toEqual([]);
	});

	it("gives no packet of another payload type, and none of damaged FEC packets", () => {
		const world = new World();
		world.start();
		for (const bytes of four.slice(0, 3)) world.media(bytes);
		const fec = fecOf("flexfec", four, 10, [0, 1, 2, 3]);
		fec[1] = (fec[1] ?? 0) ^ 1;
		world.flexfec(fec);
		for (let length = 0; length < 20; length++) world.flexfec(fec.slice(0, length));
		expect(world.recovered).toEqual([]);
		expect(world.receiver.malformed).toBe(21);
	});

	it("tells the number of a lost FEC packet, which stands between whole pictures that are neighbours", () => {
		const world = new World();
		world.ulpfec(9, new Uint8Array(0));
		world.media(media(10, 1, "both"));
		// Lost: 11, which is FEC.
		world.media(media(12, 2, "first"));
		expect(world.notMedia).toEqual([11]);
		world.media(media(13, 2, "last"));
		world.ulpfec(14, new Uint8Array(0));
		// Lost: 15.
		world.media(media(16, 3, "both"));
		expect(world.notMedia).toEqual([11, 15]);
	});

	it("tells no number that may be that of a picture", () => {
		const world = new World();
		world.ulpfec(9, new Uint8Array(0));
		world.media(media(10, 1, "both"));
		// Lost: a picture, or the end of one.
		world.media(media(12, 3, "both"));
		world.media(media(13, 4, "first"));
		world.media(media(15, 5, "both"));
		expect(world.notMedia).toEqual([]);
		// It came late: what is behind it is FEC.
		world.media(media(11, 2, "both"));
		expect(world.notMedia).toEqual([]);
	});

	it("tells it also when the end of the picture comes late", () => {
		const world = new World();
		world.ulpfec(9, new Uint8Array(0));
		world.media(media(10, 1, "first"));
		world.media(media(13, 2, "both"));
		expect(world.notMedia).toEqual([]);
		world.media(media(11, 1, "last"), false);
		expect(world.notMedia).toEqual([12]);
	});

	it("recovers by ULPFEC, and keeps nothing once there was no FEC for a while", () => {
		const world = new World();
		world.ulpfec(9, new Uint8Array(0));
		for (const bytes of four.slice(1)) world.media(bytes);
		world.ulpfec(14, fecOf("ulpfec", four, 10, [0, 1, 2, 3]));
		expect(world.recovered).toEqual([plain(four[0]!)]);
		expect(world.receiver.isActive(FEC_SILENT_MS - 1)).toBe(true);
		expect(world.receiver.isActive(FEC_SILENT_MS)).toBe(false);
	});

	it("keeps so many FEC packets that wait, and forgets the oldest", () => {
		const world = new World();
		world.start();
		for (let i = 0; i <= MAX_WAITING_FEC; i++) {
			const pair = [media(2 * i, i), media(2 * i + 1, i)];
			world.flexfec(fecOf("flexfec", pair, 2 * i, [0, 1]));
		}
		for (let i = 0; i <= MAX_WAITING_FEC; i++) world.media(media(2 * i, i));
		expect(world.recovered.length).toBe(MAX_WAITING_FEC);
		expect(world.recovered[0]).toEqual(plain(media(3, 1)));
	});
});
