import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RtcpPacketConverter, RtcpTransportLayerFeedback, TransportWideCC } from "werift";
import { parseFeedback } from "../rtcp-feedback.ts";
import { parseTransportFeedback } from "../send/transport-feedback.ts";
import { TransportCc } from "./transport-cc.ts";

/** What another implementation reads out of a feedback packet. */
function read(packet: Uint8Array): TransportWideCC {
	const [rtcp] = RtcpPacketConverter.deSerialize(Buffer.from(packet));
	expect(rtcp).toBeInstanceOf(RtcpTransportLayerFeedback);
	const { feedback } = rtcp as RtcpTransportLayerFeedback;
	expect(feedback).toBeInstanceOf(TransportWideCC);
	return feedback as TransportWideCC;
}

function ourReading(packet: Uint8Array) {
	const [one] = parseFeedback(packet);
	if (one?.type !== "TWCC") throw new Error("It is no transport feedback");
	return parseTransportFeedback(packet, one.offset, one.length);
}

describe("TransportCc", () => {
	it("tells the arrivals of packets by small deltas from the reference time", () => {
		const writer = new TransportCc();
		writer.received(10, 1000);
		writer.received(11, 1010.25);
		writer.received(13, 1030);
		const [packet] = writer.feedback(1, 2, 1050);
		const feedback = read(packet!);
		expect(feedback).toMatchObject({
			baseSequenceNumber: 10,
			packetStatusCount: 4,
			fbPktCount: 0,
			senderSsrc: 1,
			mediaSourceSsrc: 2,
		});
		// 1000 ms are 15 reference ticks and 40 ms.
		expect(feedback.referenceTime).toBe(15);
		expect(feedback.recvDeltas.map(({ delta }) => delta)).toEqual([40_000, 10_250, 19_750]);
	});

	it("writes a known packet byte by byte", () => {
		const writer = new TransportCc();
		for (let i = 0; i < 20; i++) writer.received(100 + i, 640 + i);
		const [packet] = writer.feedback(0x01020304, 0x05060708, 700);
		const bytes = `afcd000a01020304050607080064001400000a00201400${"04".repeat(19)}0002`;
		expect(Buffer.from(packet!).toString("hex")).toBe(bytes);
	});

	it("tells of losses over the wrap of the numbers", () => {
		const writer = new TransportCc();
		for (const sequence of [65_533, 65_534, 1, 2]) writer.received(sequence, 5_000);
		const { base, arrivalsMs } = ourReading(writer.feedback(1, 2, 5_000)[0]!);
		expect(base).toBe(65_533);
		expect(Array.from(arrivalsMs, (ms) => !Number.isNaN(ms))).toEqual([true, true, false, false, true, true]);
	});

	it("tells of what was lost between two feedbacks", () => {
		const writer = new TransportCc();
		writer.received(1, 100);
		writer.feedback(1, 2, 110);
		writer.received(5, 150);
		const feedback = read(writer.feedback(1, 2, 160)[0]!);
		expect(feedback).toMatchObject({ baseSequenceNumber: 2, packetStatusCount: 4, fbPktCount: 1 });
	});

	it("says nothing when nothing came", () => {
		const writer = new TransportCc();
		expect(writer.feedback(1, 2, 0)).toEqual([]);
		writer.received(1, 10);
		expect(writer.feedback(1, 2, 20)).toHaveLength(1);
		expect(writer.feedback(1, 2, 30)).toEqual([]);
	});

	it("uses another packet where a delta is too large", () => {
		const writer = new TransportCc();
		writer.received(1, 1_000);
		writer.received(2, 12_000);
		const packets = writer.feedback(1, 2, 1_100);
		expect(packets.map((packet) => read(packet).baseSequenceNumber)).toEqual([1, 2]);
	});

	it("tells of a packet that came after the feedback of its neighbours", () => {
		const writer = new TransportCc();
		writer.received(1, 100);
		writer.received(3, 102);
		writer.feedback(1, 2, 110);
		writer.received(2, 120);
		const { base, arrivalsMs } = ourReading(writer.feedback(1, 2, 160)[0]!);
		expect(base).toBe(2);
		expect(Array.from(arrivalsMs)).toEqual([120, 102]);
	});

	it("is read by another implementation and by ours as it was meant, for any arrivals", () => {
		const packet = fc.record({ gap: fc.integer({ min: 1, max: 40 }), ticks: fc.integer({ min: -400, max: 3_000 }) });
		const batches = fc.array(fc.array(packet, { minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 4 });
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0xffff }), batches, (start, rounds) => {
				const writer = new TransportCc();
				let sequence = start;
				let ticks = 4_000_000;
				for (const round of rounds) {
					const sent = new Map<number, number>();
					for (const one of round) {
						sequence = (sequence + one.gap) & 0xffff;
						ticks += one.ticks;
						sent.set(sequence, ticks / 4);
						writer.received(sequence, ticks / 4);
					}
					const told = new Map<number, number>();
					for (const bytes of writer.feedback(1, 2, 0)) {
						expect(bytes.length).toBeLessThan(1_400);
						const { base, arrivalsMs } = ourReading(bytes);
						const theirs = read(bytes);
						expect(theirs.packetStatusCount).toBe(arrivalsMs.length);
						let timeMs = theirs.referenceTime * 64;
						const deltas = theirs.recvDeltas.map(({ delta }) => (timeMs += delta / 1000));
						expect(Array.from(arrivalsMs).filter((ms) => !Number.isNaN(ms))).toEqual(deltas);
						for (const [i, ms] of arrivalsMs.entries()) if (!Number.isNaN(ms)) told.set((base + i) & 0xffff, ms);
					}
					expect(told).toEqual(sent);
				}
			}),
			{ numRuns: 60 },
		);
	});
});
