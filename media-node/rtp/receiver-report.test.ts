import { describe, expect, test } from "vitest";
import { ReceptionStatistics, writeReceiverReport } from "./receiver-report.ts";
import { parseRtcp } from "./rtcp-packet.ts";

/** Statistics of packets of 20 ms each, that come at once. */
function statisticsOf(sequences: readonly number[]): ReceptionStatistics {
	const statistics = new ReceptionStatistics(7, 8_000);
	for (const sequence of sequences) statistics.received(sequence, sequence * 160, sequence * 20);
	return statistics;
}

describe("ReceptionStatistics", () => {
	test("reports nothing before the first packet", () => {
		expect(new ReceptionStatistics(7, 8_000).report(0)).toEqual({
			...{ ssrc: 7, fractionLost: 0, totalLost: 0, highestSequence: 0 },
			...{ jitter: 0, lastSenderReport: 0, delaySinceLast: 0 },
		});
	});

	test.each([
		["without loss", [1, 2, 3, 4], { totalLost: 0, fractionLost: 0, highestSequence: 4 }],
		["with one of four lost", [1, 2, 4], { totalLost: 1, fractionLost: 64, highestSequence: 4 }],
		["out of order", [1, 3, 2, 4], { totalLost: 0, fractionLost: 0, highestSequence: 4 }],
		["twice", [1, 2, 2, 2], { totalLost: -2, fractionLost: 0, highestSequence: 2 }],
		["over the wrap", [0xfffe, 0xffff, 0, 1], { totalLost: 0, highestSequence: 0x10001 }],
		["out of order over the wrap", [0xfffe, 0, 0xffff, 2], { totalLost: 1, highestSequence: 0x10002 }],
		["with a stray one", [1, 2, 20_000, 3, 4], { totalLost: 0, highestSequence: 4 }],
		["from a source that began anew", [1, 2, 20_000, 20_001, 20_003], { totalLost: 1, highestSequence: 20_003 }],
	])("counts packets that come %s", (_, sequences, expected) => {
		expect(statisticsOf(sequences).report(0)).toMatchObject(expected);
	});

	test("the fraction is of the time since the last report, the total of all time", () => {
		const statistics = statisticsOf([1, 2, 4]);
		expect(statistics.report(0)).toMatchObject({ fractionLost: 64, totalLost: 1 });
		for (const sequence of [5, 6, 7, 8]) statistics.received(sequence, 0, 0);
		expect(statistics.report(0)).toMatchObject({ fractionLost: 0, totalLost: 1 });
		statistics.received(16, 0, 0);
		expect(statistics.report(0)).toMatchObject({ fractionLost: 224, totalLost: 8 });
		expect(statistics.report(0)).toMatchObject({ fractionLost: 0, totalLost: 8 });
		expect(statistics.lost).toBe(8);
	});

	test("jitter is the smoothed difference of transit times", () => {
		// RFC 3550 §A.8, reckoned by hand: differences of 0, 80 and 80 ticks.
		const statistics = new ReceptionStatistics(7, 8_000);
		statistics.received(1, 0xffff_ff00, 1_000_000_000);
		statistics.received(2, 0xffff_ffa0, 1_000_000_020);
		expect(statistics.report(0).jitter).toBe(0);
		statistics.received(3, 0x40, 1_000_000_050);
		expect(statistics.report(0).jitter).toBe(5);
		statistics.received(4, 0xe0, 1_000_000_060);
		expect(statistics.report(0).jitter).toBe(9); // 5 + (80 - 5) / 16
	});

	test("refers to the last sender report, and how long it was ago", () => {
		const statistics = statisticsOf([1]);
		statistics.senderReport({ seconds: 0xb44d_b705, fraction: 0x2000_0000 }, 1_000);
		expect(statistics.report(6_250)).toMatchObject({ lastSenderReport: 0xb705_2000, delaySinceLast: 0x0005_4000 });
		expect(statistics.report(500)).toMatchObject({ delaySinceLast: 0 });
	});
});

test("a receiver report carries its blocks and the name of the receiver", () => {
	const block = statisticsOf([1, 2, 4]).report(0);
	expect(parseRtcp(writeReceiverReport(9, [block], "sluice"))).toEqual([
		{ type: "RR", ssrc: 9, reports: [block] },
		{ type: "SDES", chunks: [{ ssrc: 9, cname: "sluice" }] },
	]);
});
