import { describe, expect, it } from "vitest";
import {
	PacketChunk,
	PacketStatus,
	RecvDelta,
	RtcpTransportLayerFeedback,
	RunLengthChunk,
	StatusVectorChunk,
	TransportWideCC,
} from "werift";
import { parseFeedback } from "../rtcp-feedback.ts";
import { MAX_STATUS_COUNT, parseTransportFeedback } from "./transport-feedback.ts";

const parse = (hex: string) => {
	const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
	return parseTransportFeedback(bytes, 0, bytes.length);
};

describe("parseTransportFeedback", () => {
	it("reads what another implementation wrote: a run, and a vector of two bits", () => {
		const chunk = new StatusVectorChunk({
			type: PacketChunk.TypeTCCStatusVectorChunk,
			symbolSize: 1,
			symbolList: [1, 0, 2, 1, 1, 0, 0],
		});
		const run = new RunLengthChunk({
			type: PacketChunk.TypeTCCRunLengthChunk,
			packetStatus: PacketStatus.TypeTCCPacketReceivedSmallDelta,
			runLength: 3,
		});
		const delta = (ms: number, type: 1 | 2 = PacketStatus.TypeTCCPacketReceivedSmallDelta) =>
			new RecvDelta({ type, delta: ms * 1000 });
		const twcc = new TransportWideCC({
			senderSsrc: 1,
			mediaSourceSsrc: 2,
			baseSequenceNumber: 65_534,
			packetStatusCount: 8,
			referenceTime: 10,
			fbPktCount: 3,
			packetChunks: [run, chunk],
			recvDeltas: [
				delta(1),
				delta(2),
				delta(3),
				delta(4),
				delta(-100, PacketStatus.TypeTCCPacketReceivedLargeDelta),
				delta(5),
				delta(6),
			],
		});
		const packet = new RtcpTransportLayerFeedback({ feedback: twcc }).serialize();
		const [one] = parseFeedback(packet);
		if (one?.type !== "TWCC") throw new Error("It is no transport feedback");
		const { base, arrivalsMs, count } = parseTransportFeedback(packet, one.offset, one.length);
		expect([base, count]).toEqual([65_534, 3]);
		expect([...arrivalsMs]).toEqual([641, 643, 646, 650, Number.NaN, 550, 555, 561]);
	});

	it("reads a vector of one bit and a negative reference time", () => {
		// 14 symbols, of which the first and the third came; the reference time is -1.
		const { base, arrivalsMs } = parse("0005 000e ffffff 00 a800 ff ff 01 00");
		expect(base).toBe(5);
		const came = [...arrivalsMs].map((ms) => !Number.isNaN(ms));
		expect(came.flatMap((is, i) => (is ? [i] : []))).toEqual([0, 2]);
		expect(arrivalsMs[0]).toBe(-64 + 63.75);
	});

	it("refuses what is cut, wherever it is", () => {
		const whole = "0005 0003 00000a 00 2003 010203".replaceAll(" ", "");
		expect([...parse(whole).arrivalsMs]).toEqual([640.25, 640.75, 641.5]);
		for (let length = 0; length < whole.length; length += 2) {
			expect(() => parse(whole.slice(0, length))).toThrow(expect.objectContaining({ code: "bytes.truncated" }));
		}
	});

	it("refuses a reserved status, an empty run, and more packets than anybody sent", () => {
		expect(() => parse("0005 0003 00000a 00 6003")).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
		expect(() => parse("0005 0003 00000a 00 0000 2003")).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
		const count = (MAX_STATUS_COUNT + 1).toString(16);
		expect(() => parse(`0005 ${count} 00000a 00 3fff`)).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});
});
