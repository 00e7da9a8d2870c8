import { describe, expect, it } from "vitest";
import { RecordedPublication } from "../../test/support/driver-run.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ntpOf } from "../rtp/ntp.ts";
import { writeRtcp } from "../rtp/rtcp-packet.ts";
import { RTP_HEADER_BYTES, writeRtpHeader } from "../rtp/rtp-packet.ts";
import type { Track } from "../stream/track.ts";
import { RtpReception } from "./rtp-reception.ts";

const track = (payloadType: number): Omit<Track, "index"> => ({
	kind: "application",
	codec: { name: "Generic" },
	clockRate: 90_000,
	rtp: { payloadType, encoding: "x/90000", fmtp: "" },
});

const packet = (sequence: number, { payloadType = 96, ssrc = 7, timestamp = 0 } = {}): Uint8Array => {
	const bytes = new Uint8Array(RTP_HEADER_BYTES + 1);
	writeRtpHeader(bytes, 0, { marker: false, payloadType, sequence, timestamp, ssrc });
	return bytes;
};

const report = (ssrc: number, wallclockMs: number, rtpTime: number): Uint8Array =>
	writeRtcp([{ type: "SR", ssrc, ntp: ntpOf(wallclockMs), rtpTime, packets: 0, octets: 0, reports: [] }]);

const bye = (ssrc: number): Uint8Array => writeRtcp([{ type: "BYE", ssrcs: [ssrc], reason: "" }]);

function reception(payloadTypes: readonly number[] = [96, 97]) {
	const clock = new FakeClock();
	const publication = new RecordedPublication(payloadTypes.map(track));
	const senders: string[] = [];
	const rtp = new RtpReception({
		payloadTypes,
		clock,
		readTimeoutMs: 10_000,
		open: (sender) => {
			senders.push(sender);
			return publication;
		},
	});
	const sequences = (index = 0) =>
		publication.packets
			.filter((written) => written.track === index)
			.map(({ bytes }) => new DataView(bytes.buffer).getUint16(2));
	return { rtp, clock, publication, senders, sequences };
}

describe("the reception of RTP without a conversation", () => {
	it("tells tracks on one port apart by their payload types", () => {
		const { rtp, sequences, senders } = reception();
		expect(rtp.datagram(packet(1, { payloadType: 97, ssrc: 8 }), "192.0.2.1", 5000)).toBe(true);
		expect(rtp.datagram(packet(5), "192.0.2.1", 6000)).toBe(true);
		expect(rtp.datagram(packet(9, { payloadType: 98 }), "192.0.2.1", 5000)).toBe(false);
		expect([sequences(0), sequences(1)]).toEqual([[5], [1]]);
		expect(rtp.unknown).toBe(1);
		expect(senders).toEqual(["192.0.2.1:5000"]);
	});

	it("puts packets in order, and gives a missing one up with time", async () => {
		const { rtp, clock, sequences } = reception();
		for (const sequence of [1, 3, 2, 5]) rtp.datagram(packet(sequence), "192.0.2.1", 5000);
		expect(sequences()).toEqual([1, 2, 3]);
		await clock.advance(1_000);
		rtp.tick();
		expect(sequences()).toEqual([1, 2, 3, 5]);
	});

	it("believes the first sender of a track only, by address, port and source", () => {
		const { rtp, sequences } = reception();
		rtp.datagram(packet(1), "192.0.2.1", 5000);
		expect(rtp.datagram(packet(2), "192.0.2.2", 5000)).toBe(false);
		expect(rtp.datagram(packet(2), "192.0.2.1", 5001)).toBe(false);
		expect(rtp.datagram(packet(2, { ssrc: 9 }), "192.0.2.1", 5000)).toBe(false);
		expect(rtp.datagram(packet(2), "192.0.2.1", 5000)).toBe(true);
		expect(sequences()).toEqual([1, 2]);
		expect(rtp.strangers).toBe(3);
	});

	it("takes another sender after ten seconds of silence of the first, whatever its sequence numbers", async () => {
		const { rtp, clock, sequences } = reception();
		rtp.datagram(packet(1), "192.0.2.1", 5000);
		await clock.advance(9_999);
		expect(rtp.datagram(packet(30_000), "192.0.2.2", 5000)).toBe(false);
		await clock.advance(1);
		expect(rtp.datagram(packet(30_001), "192.0.2.2", 5000)).toBe(true);
		expect(rtp.datagram(packet(2), "192.0.2.1", 5000)).toBe(false);
		expect(sequences()).toEqual([1, 30_001]);
	});

	it("takes another sender at once when the first one said goodbye, and believes no goodbye of others", () => {
		const { rtp, sequences } = reception();
		rtp.datagram(packet(1), "192.0.2.1", 5000);
		rtp.rtcp(bye(7), "192.0.2.2");
		rtp.rtcp(bye(8), "192.0.2.1");
		expect(rtp.datagram(packet(100, { ssrc: 9 }), "192.0.2.1", 5000)).toBe(false);
		rtp.rtcp(bye(7), "192.0.2.1");
		expect(rtp.datagram(packet(101, { ssrc: 9 }), "192.0.2.1", 5002)).toBe(true);
		expect(sequences()).toEqual([1, 101]);
	});

	it("hands on the reports of believed senders, from the RTCP port and beside RTP", () => {
		const { rtp, publication } = reception();
		rtp.datagram(packet(1), "192.0.2.1", 5000);
		rtp.datagram(packet(1, { payloadType: 97, ssrc: 8 }), "192.0.2.1", 5000);
		rtp.rtcp(report(8, 1_700_000_000_000, 4), "192.0.2.1");
		expect(rtp.datagram(report(7, 1_700_000_000_500, 5), "192.0.2.1", 5000)).toBe(false);
		rtp.rtcp(report(7, 1_700_000_009_000, 6), "192.0.2.66");
		expect(publication.reports.map(({ track, rtpTime }) => [track, rtpTime])).toEqual([
			[1, 4],
			[0, 5],
		]);
		expect(publication.reports[1]?.wallclockMs).toBeCloseTo(1_700_000_000_500, 0);
	});

	it("keeps a report that comes before the first packet, if it is of the same address", () => {
		const { rtp, publication } = reception();
		rtp.rtcp(report(7, 1_700_000_000_000, 4), "192.0.2.66");
		rtp.rtcp(report(7, 1_700_000_000_000, 5), "192.0.2.1");
		// Others do not push it out, as long as they are few.
		for (let ssrc = 100; ssrc < 114; ssrc++) rtp.rtcp(report(ssrc, 1_700_000_000_000, 6), "192.0.2.1");
		expect(publication.reports).toEqual([]);
		rtp.datagram(packet(1), "192.0.2.1", 5000);
		expect(publication.reports.map(({ rtpTime }) => rtpTime)).toEqual([5]);
		expect(publication.calls).toEqual(["report", "packet"]);
	});

	it("keeps no more than a few such reports", () => {
		const { rtp, publication } = reception();
		rtp.rtcp(report(7, 1_700_000_000_000, 5), "192.0.2.1");
		for (let ssrc = 100; ssrc < 116; ssrc++) rtp.rtcp(report(ssrc, 1_700_000_000_000, 6), "192.0.2.1");
		rtp.datagram(packet(1), "192.0.2.1", 5000);
		expect(publication.reports).toEqual([]);
	});

	it("leaves out what is no RTP and no RTCP, and lives", () => {
		const { rtp, publication, senders } = reception();
		const whole = packet(1);
		for (let length = 0; length < RTP_HEADER_BYTES; length++) rtp.datagram(whole.subarray(0, length), "192.0.2.1", 1);
		const whole2 = report(7, 0, 0);
		for (let length = 1; length < whole2.length; length++) rtp.rtcp(whole2.subarray(0, length), "192.0.2.1");
		expect(rtp.rtcpErrors).toBe(whole2.length - 1);
		expect(publication.calls).toEqual([]);
		expect(senders).toEqual([]);
	});
});
