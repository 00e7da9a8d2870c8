import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AAC_TRACK, H264_TRACK } from "../../test/support/rtp-stream.ts";
import { newRtpPacket, type RtpPacket, sequenceDistance } from "../rtp/rtp-packet.ts";
import { Restamper } from "./restamper.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20260101);

function packet(sequence: number, timestamp: number, ssrc = 1): RtpPacket {
	return { ...newRtpPacket(), sequence, timestamp, ssrc, payloadType: 100, payloadLength: 10 };
}

describe("a restamper", () => {
	it("leaves the numbers of the first publisher but their highest bit, under its own SSRC and payload type", () => {
		const restamper = new Restamper([H264_TRACK], () => 0xfedcba98);
		const first = packet(65_535, 4_294_967_000);
		restamper.stamp(0, first, 0);
		expect(first).toMatchObject({ sequence: 32_767, timestamp: 4_294_967_000, ssrc: 0xfedcba98, payloadType: 96 });
		expect(restamper.position(0, 0)).toEqual({ sequence: 32_768, rtpTime: 4_294_967_000, ssrc: 0xfedcba98 });
	});

	it("continues with the next number and the time that passed when a publisher returns", () => {
		const restamper = new Restamper([H264_TRACK], () => 7);
		restamper.stamp(0, packet(100, 90_000), 1000);
		restamper.release();
		const next = packet(4000, 12, 1);
		restamper.stamp(0, next, 3500);
		expect(next).toMatchObject({ sequence: 101, timestamp: 90_000 + 2.5 * 90_000, ssrc: 7 });
	});

	it("takes a new SSRC in mid-stream for a new source", () => {
		const restamper = new Restamper([H264_TRACK], () => 7);
		restamper.stamp(0, packet(100, 90_000, 1), 0);
		const next = packet(9, 9, 2);
		restamper.stamp(0, next, 0);
		expect(next).toMatchObject({ sequence: 101, timestamp: 90_001 });
	});

	it("counts numbers on over their roll-overs, publishers, and packets that are divided", () => {
		const restamper = new Restamper([H264_TRACK], () => 7);
		expect(restamper.indexOf(0)).toBe(0);
		for (const sequence of [32_700, 49_000, 65_300]) restamper.stamp(0, packet(sequence, 0), 0);
		expect(restamper.indexOf(0)).toBe(65_301);
		restamper.insert(0, 234);
		expect(restamper.indexOf(0)).toBe(65_535);
		restamper.insert(0, 3);
		expect(restamper.indexOf(0)).toBe(65_538);
		restamper.stamp(0, packet(65_301, 0), 0);
		// One that comes late.
		restamper.stamp(0, packet(65_296, 0), 0);
		expect(restamper.indexOf(0)).toBe(65_539);
		restamper.release();
		restamper.stamp(0, packet(9, 0, 2), 0);
		expect(restamper.indexOf(0)).toBe(65_540);
	});

	it("says where the next packet will be by the time since the last one", () => {
		const restamper = new Restamper([H264_TRACK, AAC_TRACK], () => 7);
		expect(restamper.position(1, 0)).toBeNull();
		restamper.stamp(1, packet(5, 4_294_967_295), 1000);
		expect(restamper.position(1, 2000)).toEqual({ sequence: 6, rtpTime: 47_999, ssrc: 7 });
		expect(restamper.position(0, 2000)).toBeNull();
	});

	it("does not take frames out of presentation order for its newest time", () => {
		const restamper = new Restamper([H264_TRACK], () => 7);
		for (const timestamp of [9000, 3000, 6000]) restamper.stamp(0, packet(1, timestamp), 0);
		expect(restamper.position(0, 0)?.rtpTime).toBe(9000);
		restamper.stamp(0, packet(2, 9000 - 11 * 90_000), 0);
		expect(restamper.position(0, 0)?.rtpTime).toBe((9000 - 11 * 90_000) >>> 0);
	});

	it("moves sender reports by the same offset, and holds them back before the first packet", () => {
		const restamper = new Restamper([H264_TRACK], () => 7);
		expect(restamper.report(0, { wallclockMs: 5, rtpTime: 1 })).toBeNull();
		restamper.stamp(0, packet(1, 90_000), 0);
		restamper.release();
		expect(restamper.report(0, { wallclockMs: 5, rtpTime: 1 })).toBeNull();
		restamper.stamp(0, packet(1, 5), 1000);
		expect(restamper.report(0, { wallclockMs: 5, rtpTime: 3 })).toEqual({
			wallclockMs: 5,
			rtpTime: 180_000 - 2,
			ssrc: 7,
			packets: 2,
			octets: 20,
		});
	});

	it("keeps one continuous source over any publishers, losses and wraps", () => {
		const publisher = fc.record({
			ssrc: fc.integer({ min: 0, max: 0xffffffff }),
			sequence: fc.integer({ min: 0, max: 0xffff }),
			timestamp: fc.integer({ min: 0, max: 0xffffffff }),
			awayMs: fc.integer({ min: 0, max: 60_000 }),
			/** Of each packet: how many were lost before it, and how many milliseconds it comes after the one before. */
			packets: fc.array(fc.record({ lost: fc.integer({ min: 0, max: 300 }), ms: fc.integer({ min: 0, max: 2000 }) }), {
				minLength: 1,
				maxLength: 40,
			}),
		});
		fc.assert(
			fc.property(fc.array(publisher, { minLength: 1, maxLength: 6 }), (publishers) => {
				const restamper = new Restamper([H264_TRACK], () => 0xabcdef01);
				let last: RtpPacket | null = null;
				let nowMs = 0;
				for (const { ssrc, packets, awayMs, ...start } of publishers) {
					let { sequence, timestamp } = start;
					restamper.release();
					nowMs += awayMs;
					packets.forEach(({ lost, ms }, i) => {
						const begins = i === 0;
						sequence += begins ? 0 : lost + 1;
						timestamp += begins ? 0 : ms * 90;
						nowMs += begins ? 0 : ms;
						const position = restamper.position(0, nowMs);
						const next = packet(sequence & 0xffff, timestamp >>> 0, ssrc);
						restamper.stamp(0, next, nowMs);
						expect(next.ssrc).toBe(0xabcdef01);
						if (last !== null) {
							const step = (next.timestamp - last.timestamp) >>> 0;
							expect(sequenceDistance(last.sequence, next.sequence)).toBe(begins ? 1 : lost + 1);
							expect(step).toBe(begins ? Math.max(1, awayMs * 90) : ms * 90);
							expect(position?.rtpTime).toBe(begins && awayMs === 0 ? last.timestamp : next.timestamp);
							if (begins || lost === 0) expect(position?.sequence).toBe(next.sequence);
						}
						last = next;
					});
				}
			}),
			{ seed: SEED, numRuns: 300 },
		);
	});
});
