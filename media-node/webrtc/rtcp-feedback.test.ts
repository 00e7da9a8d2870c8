import { describe, expect, it } from "vitest";
import { GenericNack, PictureLossIndication, ReceiverEstimatedMaxBitrate, RtcpPacketConverter } from "werift";
import {
	FEEDBACK_HEADER_BYTES,
	MAX_NACKED,
	parseFeedback,
	writeFir,
	writeNack,
	writePli,
	writeRemb,
} from "./rtcp-feedback.ts";

function theirs(packet: Uint8Array): { feedback: unknown } {
	return RtcpPacketConverter.deSerialize(Buffer.from(packet))[0] as unknown as { feedback: unknown };
}

describe("RTCP feedback", () => {
	it("asks for packets over the wrap of their numbers, in as few words as it takes", () => {
		const sequences = [65_530, 65_535, 0, 10, 11, 100];
		const packet = writeNack(1, 2, sequences);
		expect(packet.length).toBe(FEEDBACK_HEADER_BYTES + 3 * 4);
		expect(parseFeedback(packet)).toEqual([{ type: "NACK", ssrc: 2, sequences }]);
		const { feedback } = theirs(packet);
		expect(feedback).toBeInstanceOf(GenericNack);
		expect(feedback).toMatchObject({ senderSsrc: 1, mediaSourceSsrc: 2 });
		// It does not wrap them by itself.
		expect((feedback as GenericNack).lost.map((sequence) => sequence & 0xffff)).toEqual(sequences);
	});

	it("reads a NACK that another implementation wrote", () => {
		const nack = new GenericNack({ senderSsrc: 5, mediaSourceSsrc: 6, lost: [10, 11, 20, 60] });
		expect(parseFeedback(nack.serialize())).toEqual([{ type: "NACK", ssrc: 6, sequences: [10, 11, 20, 60] }]);
	});

	it("writes PLI and REMB that another implementation reads", () => {
		expect(theirs(writePli(1, 2)).feedback).toBeInstanceOf(PictureLossIndication);
		expect(parseFeedback(writePli(1, 2))).toEqual([{ type: "PLI", ssrc: 2 }]);
		const { feedback } = theirs(writeRemb(1, 2_500_000, [7, 8]));
		expect(feedback).toBeInstanceOf(ReceiverEstimatedMaxBitrate);
		expect(feedback).toMatchObject({ ssrcFeedbacks: [7, 8] });
		const [remb] = parseFeedback(writeRemb(1, 2_500_000, [7, 8]));
		expect(remb).toMatchObject({ type: "REMB", bitrate: expect.closeTo(2_500_000, -2) });
	});

	it("writes FIR as RFC 5104 §4.3.1.1 says", () => {
		const packet = writeFir(0x01020304, 0x0a0b0c0d, 9);
		expect(Buffer.from(packet).toString("hex")).toBe("84ce000401020304000000000a0b0c0d09000000");
		expect(parseFeedback(packet)).toEqual([{ type: "FIR", ssrc: 0x0a0b0c0d, command: 9 }]);
	});

	it("finds feedback between other packets of a compound", () => {
		const report = Uint8Array.from([0x80, 201, 0, 1, 0, 0, 0, 1]);
		const both = Uint8Array.from([...report, ...writePli(1, 2), ...writeNack(1, 3, [7])]);
		expect(parseFeedback(both).map(({ type }) => type)).toEqual(["PLI", "NACK"]);
	});

	it("looks at a bounded part of a NACK", () => {
		const packet = new Uint8Array(FEEDBACK_HEADER_BYTES + 4 * 300).fill(0xff);
		packet.set(writePli(1, 2));
		packet.set([0x81, 205]);
		packet[2] = (packet.length / 4 - 1) >> 8;
		packet[3] = (packet.length / 4 - 1) & 0xff;
		const [nack] = parseFeedback(packet);
		expect(nack).toMatchObject({ type: "NACK" });
		if (nack?.type === "NACK") expect(nack.sequences.length).toBeLessThanOrEqual(MAX_NACKED);
	});

	it("refuses every packet that is cut", () => {
		for (const packet of [writeNack(1, 2, [1, 40]), writeFir(1, 2, 3), writeRemb(1, 1e6, [1])]) {
			for (let length = 1; length < packet.length; length++) {
				expect(() => parseFeedback(packet.subarray(0, length))).toThrow(
					expect.objectContaining({ code: "bytes.truncated" }),
				);
			}
		}
	});
});
