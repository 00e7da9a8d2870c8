import { describe, expect, it } from "vitest";
import { u16 } from "../../bytes/big-endian.ts";
import { addToFecSum, newFecSum, packetOfFecSum } from "../../rtp/fec-sum.ts";
import { readFlexfec } from "../../rtp/flexfec.ts";
import { newRtpPacket, writeRtpHeader } from "../../rtp/rtp-packet.ts";
import { readUlpfec } from "../../rtp/ulpfec.ts";
import type { FecFormat } from "../sdp/fec-format.ts";
import { NO_EXTENSIONS } from "../sdp/header-extensions.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import { FecSender } from "./fec-sender.ts";

const ULPFEC: FecFormat = { ulpfec: { red: 110, redRtx: 111, ulpfec: 112 }, flexfec: null };
const FLEXFEC: FecFormat = { ulpfec: null, flexfec: 113 };

function trackOf(codec: "VP8" | "H264"): OutgoingTrack {
	return {
		...{ mid: "0", payloadType: 102, rtxPayloadType: 103, ssrc: 0x1111, rtxSsrc: 0x2222, cname: "someone" },
		...{ hasNack: true, hasTransportCc: true, hasRemb: false },
		extensions: { ...NO_EXTENSIONS, mid: 1, transportSequence: 3 },
		track: {
			...{ index: 0, kind: "video", clockRate: 90_000, rtp: { payloadType: 96, encoding: "", fmtp: "" } },
			codec: codec === "VP8" ? { name: "VP8" } : { name: "H264", sps: null, pps: null },
		},
	};
}

/** One that has been told of 5 % loss at 100 ms. */
function senderOf(format: FecFormat, codec: "VP8" | "H264" = "VP8", maxBytes = 1_500): FecSender {
	const sender = new FecSender(trackOf(codec), format, maxBytes);
	for (let i = 0; i < 20; i++) report(sender, i * 100, 13);
	expect(sender.isActive).toBe(true);
	return sender;
}

function report(sender: FecSender, highestSequence: number, fractionLost: number): void {
	const rest = { ssrc: 0x1111, totalLost: 0, jitter: 0, lastSenderReport: 0, delaySinceLast: 0 };
	sender.report({ ...rest, fractionLost, highestSequence }, 100, true);
}

/** As the stream has it. */
function packet(timestamp: number, marker: boolean, size: number): Uint8Array {
	const bytes = new Uint8Array(12 + size).fill(size);
	writeRtpHeader(bytes, 0, { ...newRtpPacket(), marker, payloadType: 96, timestamp, ssrc: 7 });
	return bytes;
}

function add(sender: FecSender, sequence: number, bytes: Uint8Array, nowMs = 0): readonly Uint8Array[] {
	return sender.add(sequence, bytes, 0, bytes.length, nowMs);
}

/** A picture of `count` packets from `first` on; what is to be sent after it. */
function picture(sender: FecSender, first: number, count: number, size = 100): readonly Uint8Array[] {
	const out: Uint8Array[] = [];
	for (let i = 0; i < count; i++) {
		out.push(...add(sender, (first + i) & 0xffff, packet(first, i === count - 1, size + i)));
		if (i < count - 1) expect(out).toEqual([]);
	}
	return out;
}

describe("the FEC packets of a viewer", () => {
	it("protect each picture when it is over, across the end of the numbers", () => {
		const fec = picture(senderOf(FLEXFEC), 65_532, 8);
		const covers = fec.map((bytes) => readFlexfec(newFecSum(), bytes, 12, bytes.length - 12));
		expect(covers).toEqual([
			{ ssrc: 0x1111, sequences: [65_532, 65_534, 0, 2] },
			{ ssrc: 0x1111, sequences: [65_533, 65_535, 1, 3] },
		]);
	});

	it("protect what the viewer sees: its payload type, and the extension without the number on the path", () => {
		const [fec] = picture(senderOf(ULPFEC), 10, 4);
		if (fec === undefined) throw new Error("There is no FEC packet");
		expect(fec[12]).toBe(112);
		const sum = newFecSum();
		expect(readUlpfec(sum, fec, 13, fec.length - 13)).toEqual([10, 11, 12, 13]);
		for (const i of [0, 1, 3]) {
			const seen = new Uint8Array(12 + 12 + 100 + i).fill(100 + i);
			seen.set([0x90, (i === 3 ? 0x80 : 0) | 102, 0, 10 + i, 0, 0, 0, 10, 0, 0, 0x11, 0x11]);
			seen.set([0xbe, 0xde, 0, 2, 0x10, 0x30, 0x31, 0, 0, 0, 0, 0], 12);
			addToFecSum(sum, seen, 0, seen.length);
		}
		const lost = packetOfFecSum(sum, 12, 0x1111);
		expect(lost?.subarray(0, 24)).toEqual(
			Uint8Array.from([
				0x90, 102, 0, 12, 0, 0, 0, 10, 0, 0, 0x11, 0x11, 0xbe, 0xde, 0, 2, 0x10, 0x30, 0x31, 0, 0, 0, 0, 0,
			]),
		);
		expect(lost?.subarray(24)).toEqual(new Uint8Array(102).fill(102));
	});

	it("protect several small pictures together while that costs less than half a round trip", () => {
		const sender = senderOf(FLEXFEC);
		const counts = [0, 33, 66, 99, 132, 165].map((ms, i) => add(sender, i, packet(i * 3_000, true, 50), ms).length);
		expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(2);
		expect(counts.reduce((sum, count) => sum + count)).toBeLessThan(6);
	});

	it("are not made where they gain nothing: for one packet of a codec whose viewers wait for lost FEC packets", () => {
		const alone = (sender: FecSender) => add(sender, 1, packet(0, true, 50), 41_000).length;
		const lateOf = (format: FecFormat, codec: "VP8" | "H264") => {
			const sender = senderOf(format, codec);
			// Pictures are seldom: none waits.
			for (let i = 0; i < 40; i++) add(sender, 100 + i, packet(i, true, 50), i * 1_000);
			return alone(sender);
		};
		expect(lateOf(ULPFEC, "H264")).toBe(0);
		expect(lateOf(ULPFEC, "VP8")).toBe(1);
		expect(lateOf(FLEXFEC, "H264")).toBe(1);
	});

	it("leave a picture alone whose end was lost, and packets that leave no room", () => {
		const sender = senderOf(FLEXFEC);
		for (let i = 0; i < 5; i++) expect(add(sender, i, packet(0, false, 50))).toEqual([]);
		const [fec, ...more] = picture(sender, 5, 4);
		expect(more).toEqual([]);
		expect(readFlexfec(newFecSum(), fec ?? new Uint8Array(0), 12, (fec?.length ?? 12) - 12)?.sequences[0]).toBe(5);
		expect(picture(senderOf(FLEXFEC, "VP8", 1_200), 0, 4, 1_150)).toEqual([]);
	});

	it("fit what a datagram may have, with a header extension of their own", () => {
		for (const format of [ULPFEC, FLEXFEC]) {
			for (let size = 1_380; size < 1_480; size++) {
				for (const fec of picture(senderOf(format), 0, 1, size)) expect(fec.length + 12).toBeLessThanOrEqual(1_500);
			}
		}
	});

	it("are not made of more packets than can wait", () => {
		const fec = picture(senderOf(FLEXFEC), 0, 400, 10);
		const protectedOnes = fec.flatMap(
			(bytes) => readFlexfec(newFecSum(), bytes, 12, bytes.length - 12)?.sequences ?? [],
		);
		expect(protectedOnes.length).toBe(256);
		expect(Math.max(...protectedOnes)).toBe(255);
		for (const bytes of fec) expect(u16(bytes, 12 + 16)).toBeLessThan(256);
	});
});
