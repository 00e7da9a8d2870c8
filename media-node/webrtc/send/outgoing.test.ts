import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { u16, u32 } from "../../bytes/big-endian.ts";
import { unixMsOf } from "../../rtp/ntp.ts";
import { parseRtcp, writeRtcp } from "../../rtp/rtcp-packet.ts";
import { newRtpPacket } from "../../rtp/rtp-packet.ts";
import { BatchBuilder } from "../../stream/batch-builder.ts";
import type { Track } from "../../stream/track.ts";
import { writeFir, writeNack, writePli } from "../rtcp-feedback.ts";
import { type ExtensionIds, extensionText, findExtension, NO_EXTENSIONS } from "../sdp/header-extensions.ts";
import { Outgoing } from "./outgoing.ts";

const SPS = Uint8Array.from([0x67, 0x42, 0xc0, 0x1f, 1, 2]);
const PPS = Uint8Array.from([0x68, 0xce, 3]);
const H264: Track = {
	index: 0,
	kind: "video",
	codec: { name: "H264", sps: SPS, pps: PPS },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "H264/90000", fmtp: "" },
};
const OPUS: Track = {
	index: 1,
	kind: "audio",
	codec: { name: "Opus", channels: 2 },
	clockRate: 48_000,
	rtp: { payloadType: 97, encoding: "opus/48000/2", fmtp: "" },
};
const IDS: ExtensionIds = { ...NO_EXTENSIONS, mid: 4, transportSequence: 3 };
const SHARED = { cname: "us", hasTransportCc: true, hasRemb: false };
const IDR = [0x65, 0x88, 0, 0];
const SLICE = [0x41, 0x9a, 0, 0];

function setUp({
	rtx = true,
	ids = IDS,
	codec = H264.codec,
	onlySound = false,
	otherSound = false,
}: {
	rtx?: boolean;
	ids?: ExtensionIds;
	codec?: Track["codec"];
	onlySound?: boolean;
	otherSound?: boolean;
} = {}) {
	const clock = new FakeClock();
	const video = { ...H264, codec };
	const sent: Uint8Array[] = [];
	const control: Uint8Array[] = [];
	const asked: number[] = [];
	const warnings: string[] = [];
	const ended: unknown[] = [];
	const opus = otherSound ? { ...OPUS, index: 0 } : OPUS;
	const picture = {
		...SHARED,
		mid: "0",
		track: video,
		payloadType: 102,
		ssrc: 0x1000,
		hasNack: true,
		rtxPayloadType: rtx ? 103 : null,
		rtxSsrc: rtx ? 0x1001 : null,
		extensions: ids,
	};
	const sound = {
		...SHARED,
		mid: "1",
		track: opus,
		payloadType: 111,
		ssrc: 0x2000,
		hasNack: false,
		rtxPayloadType: null,
		rtxSsrc: null,
		extensions: ids,
	};
	const outgoing = new Outgoing({
		stream: { tracks: [video, OPUS] },
		tracks: otherSound ? [picture] : onlySound ? [sound] : [picture, sound],
		...(otherSound ? { sound: { stream: { tracks: [opus] }, tracks: [sound] } } : {}),
		clock,
		sendRtp: (bytes) => sent.push(Uint8Array.from(bytes)) > 0,
		sendRtcp: (bytes) => void control.push(bytes),
		askKeyFrame: (track) => void asked.push(track),
		onEnd: (reason) => void ended.push(reason),
		onWarning: (text) => void warnings.push(text),
	});
	const builder = new BatchBuilder([video, OPUS], (batch) => outgoing.push(batch));
	const give = (track: number, sequence: number, timestamp: number, payload: readonly number[], marker = true) => {
		const header = { ...newRtpPacket(), marker, payloadType: 96 + track, sequence, timestamp, ssrc: 5 + track };
		const isKey = track === 0 && (payload[0]! & 0x1f) === 5;
		builder.addPayload(track, Uint8Array.from(payload), header, isKey, clock.now());
		builder.flush();
	};
	const soundBuilder = new BatchBuilder([opus], (batch) => outgoing.sound.push(batch));
	const giveSound = (sequence: number, timestamp: number, payload: readonly number[]) => {
		const header = { ...newRtpPacket(), payloadType: 97, sequence, timestamp, ssrc: 6 };
		soundBuilder.addPayload(0, Uint8Array.from(payload), header, false, clock.now());
		soundBuilder.flush();
	};
	const receive = (bytes: Uint8Array) => outgoing.rtcp(bytes, 0, bytes.length);
	return { clock, sent, control, asked, warnings, ended, outgoing, give, giveSound, receive };
}

const sequences = (packets: readonly Uint8Array[]) => packets.map((one) => u16(one, 2));
const payloadOf = (one: Uint8Array) => [...one.subarray(one[0] === 0x90 ? 16 + u16(one, 14) * 4 : 12)];

describe("Outgoing", () => {
	it("begins with a key frame, and writes the headers of its session", () => {
		const { give, sent } = setUp({ ids: NO_EXTENSIONS, codec: { name: "H264", sps: null, pps: null } });
		give(0, 10, 1_000, SLICE);
		give(1, 50, 9, [1, 2, 3]);
		expect(sent).toEqual([]);
		give(0, 11, 4_000, IDR, false);
		give(0, 12, 4_000, [0x65, 1]);
		give(1, 51, 999, [4, 5]);
		expect(sent.map((one) => [one[0], one[1], u32(one, 4), u32(one, 8)])).toEqual([
			[0x80, 102, 4_000, 0x1000],
			[0x80, 0x80 | 102, 4_000, 0x1000],
			[0x80, 0x80 | 111, 999, 0x2000],
		]);
		expect(payloadOf(sent[2]!)).toEqual([4, 5]);
		expect(u16(sent[1]!, 2)).toBe((u16(sent[0]!, 2) + 1) & 0xffff);
	});

	it("waits for no key frame where only sound is sent", () => {
		const { give, sent } = setUp({ onlySound: true });
		give(0, 10, 1_000, SLICE);
		give(1, 50, 9, [1, 2, 3]);
		expect(sent.map(payloadOf)).toEqual([[1, 2, 3]]);
	});

	it("says to which media section a packet belongs, and numbers all packets of the transport", () => {
		const { give, sent } = setUp();
		give(0, 11, 0, IDR);
		give(1, 51, 0, [4, 5]);
		const place = { offset: 0, length: 0 };
		const numbers = sent.map((one) => {
			expect(findExtension(place, one, 0, one.length, 3)).toBe(true);
			return u16(one, place.offset);
		});
		expect(numbers).toEqual([0, 1, 2]);
		expect(sent.map((one) => extensionText(one, 0, one.length, 4))).toEqual(["0", "0", "1"]);
	});

	it("sends parameter sets before a key frame that comes without: RFC 6184 §5.7.1", () => {
		const { give, sent } = setUp();
		give(0, 11, 3_000, IDR);
		give(0, 12, 6_000, SLICE);
		expect(payloadOf(sent[0]!)).toEqual([0x78, 0, 6, ...SPS, 0, 3, ...PPS]);
		expect(sent.map((one) => u32(one, 4))).toEqual([3_000, 3_000, 6_000]);
		const [first = 0] = sequences(sent);
		expect(sequences(sent)).toEqual([first, (first + 1) & 0xffff, (first + 2) & 0xffff]);
		expect(sent.map((one) => one[1]! >> 7)).toEqual([0, 1, 1]);
	});

	it("leaves out the extensions and padding of the publisher", () => {
		const { outgoing, sent, clock } = setUp({ ids: NO_EXTENSIONS });
		const packet = Buffer.from("b0e100070000000a00000005bede0001101100000102030400000004", "hex");
		const bytes = Buffer.concat([Buffer.from([0x24, 0, 0, packet.length]), packet]);
		const batch = { bytes, packets: [1, 4, packet.length], randomAccess: true, arrivalMs: clock.now() };
		outgoing.push(batch);
		expect(payloadOf(sent[0]!)).toEqual([1, 2, 3, 4]);
	});

	it("leaves the numbers out that the publisher lost", () => {
		const { give, sent } = setUp();
		give(1, 0xffff, 0, [1]);
		give(0, 20, 0, IDR);
		give(0, 22, 3_000, SLICE);
		const [, idr = 0, slice = 0] = sequences(sent);
		expect((slice - idr) & 0xffff).toBe(2);
	});

	it("answers a NACK by RTX with the packet as it was", async () => {
		const { give, sent, receive, clock, outgoing } = setUp();
		give(0, 11, 3_000, IDR);
		give(0, 12, 6_000, [...SLICE, 9]);
		const number = u16(sent[2]!, 2);
		receive(writeNack(1, 0x1000, [number]));
		const again = sent[3]!;
		expect([again[1]! & 0x7f, again[1]! >> 7, u32(again, 4), u32(again, 8)]).toEqual([103, 1, 6_000, 0x1001]);
		expect(payloadOf(again)).toEqual([number >> 8, number & 0xff, ...SLICE, 9]);
		// Not sooner than an answer takes, and not after a second.
		receive(writeNack(1, 0x1000, [number]));
		expect(sent).toHaveLength(4);
		await clock.advance(60);
		receive(writeNack(1, 0x1000, [number]));
		expect(sent).toHaveLength(5);
		expect((u16(sent[4]!, 2) - u16(again, 2)) & 0xffff).toBe(1);
		await clock.advance(2_000);
		give(0, 13, 9_000, SLICE);
		receive(writeNack(1, 0x1000, [number]));
		expect(sent).toHaveLength(6);
		expect(outgoing.statistics.tracks[0]).toMatchObject({ retransmitted: 2, notRetransmitted: 2 });
	});

	it("answers a NACK by the same packet where there is no RTX", () => {
		const { give, sent, receive } = setUp({ rtx: false, ids: NO_EXTENSIONS });
		give(0, 11, 3_000, IDR);
		receive(writeNack(1, 0x1000, [u16(sent[1]!, 2)]));
		expect(sent[2]).toEqual(sent[1]);
		expect(sent).toHaveLength(3);
	});

	it("sends the very same bytes again, for they are encrypted under the same number", async () => {
		const { give, sent, receive, clock } = setUp({ rtx: false });
		give(0, 11, 3_000, IDR);
		await clock.advance(100);
		give(0, 12, 6_000, SLICE);
		receive(writeNack(1, 0x1000, [u16(sent[1]!, 2)]));
		expect(sent[3]).toEqual(sent[1]);
		give(0, 13, 9_000, SLICE);
		expect(sent[4]).not.toEqual(sent[2]);
	});

	it("does not send again what was never asked of it, or nobody may ask for", () => {
		const { give, sent, receive } = setUp();
		give(0, 11, 3_000, IDR);
		give(1, 5, 0, [1]);
		receive(writeNack(1, 0x2000, [u16(sent[2]!, 2)]));
		receive(writeNack(1, 0x9999, [1]));
		receive(writeNack(1, 0x1000, [(u16(sent[1]!, 2) + 1) & 0xffff]));
		expect(sent).toHaveLength(3);
	});

	it("asks for a key frame when the viewer does, and when it waits for one for 500 ms", async () => {
		const { give, asked, receive, clock, outgoing } = setUp();
		for (let i = 0; i < 6; i++) {
			give(0, i, i * 9_000, SLICE);
			await clock.advance(100);
		}
		expect(asked).toEqual([0]);
		give(0, 6, 60_000, IDR);
		receive(writePli(1, 0x1000));
		receive(writeFir(1, 0x1000, 1));
		receive(writePli(1, 0x7777));
		expect(asked).toEqual([0, 0, 0]);
		expect(outgoing.statistics.tracks[0]?.keyFrameRequests).toBe(2);
	});

	it("begins anywhere when no key frame comes for ten seconds", async () => {
		const { give, sent, clock } = setUp();
		await clock.advance(10_000);
		give(0, 1, 0, SLICE);
		expect(sent).toHaveLength(1);
	});

	it("tells for the present moment what the publisher said of its time", async () => {
		const { give, outgoing, control, clock } = setUp();
		give(0, 11, 90_000, IDR);
		const said = { wallclockMs: 1_700_000_000_000, rtpTime: 90_000, ssrc: 5, packets: 0, octets: 0 };
		outgoing.senderReport(0, said);
		await clock.advance(1_000);
		const [report] = control.flatMap((one) => parseRtcp(one)).filter(({ type }) => type === "SR");
		expect(report).toMatchObject({ ssrc: 0x1000, rtpTime: 180_000, packets: 2, octets: 4 + 14 });
		if (report?.type === "SR") expect(unixMsOf(report.ntp)).toBeCloseTo(1_700_000_001_000, 0);
	});

	it("tells when packets came while the publisher says nothing", async () => {
		const { give, control, clock } = setUp();
		const startMs = clock.now();
		give(0, 11, 90_000, IDR);
		give(1, 11, 48_000, [1]);
		await clock.advance(1_000);
		const reports = control.flatMap((one) => parseRtcp(one)).filter((one) => one.type === "SR");
		expect(reports.map(({ ssrc, rtpTime, ntp }) => [ssrc, rtpTime, Math.round(unixMsOf(ntp)) - startMs])).toEqual([
			[0x1000, 90_000, 0],
			[0x2000, 48_000, 0],
		]);
	});

	it("knows the round trip and the loss from reports of the viewer", async () => {
		const { give, control, clock, receive, outgoing } = setUp();
		give(0, 11, 90_000, IDR);
		await clock.advance(1_000);
		const [report] = control.flatMap((one) => parseRtcp(one)).filter((one) => one.type === "SR");
		const lastSenderReport = (((report!.ntp.seconds & 0xffff) << 16) | (report!.ntp.fraction >>> 16)) >>> 0;
		await clock.advance(150);
		const delaySinceLast = Math.round(0.1 * 65_536);
		const block = {
			ssrc: 0x1000,
			fractionLost: 64,
			totalLost: 3,
			highestSequence: 0,
			jitter: 900,
			lastSenderReport,
			delaySinceLast,
		};
		receive(writeRtcp([{ type: "RR", ssrc: 1, reports: [block] }]));
		expect(outgoing.statistics.rttMs).toBeCloseTo(50, 0);
		expect(outgoing.statistics.tracks[0]).toMatchObject({ lost: 3, fractionLost: 0.25, jitter: 0.01 });
	});

	it("warns of B-frames once, and says what to set", () => {
		const { give, warnings } = setUp();
		const times = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8];
		for (const [i, time] of times.entries()) give(0, i, time * 3_000, i === 0 ? IDR : SLICE);
		expect(warnings).toEqual([expect.stringMatching(/x264: --bframes 0.*Max B-frames 0/)]);
	});

	it("divides what is too large for a way that carries no more than 1,280 bytes, and numbers on", () => {
		const { give, sent } = setUp({ ids: NO_EXTENSIONS });
		const large = (head: readonly number[]) => [...head, ...new Array<number>(2_400).fill(1)];
		give(0, 0xfffe, 0, large(IDR));
		give(0, 0xffff, 3_000, large(SLICE));
		give(0, 0, 6_000, SLICE);
		const [first = 0] = sequences(sent);
		expect(sequences(sent)).toEqual(sent.map((_, i) => (first + i) & 0xffff));
		expect(sent.map((one) => u32(one, 4))).toEqual([0, 0, 0, 0, 3_000, 3_000, 3_000, 6_000]);
		expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(1_200);
		// What comes late would have a number that was used already, and is left out.
		give(0, 0xffff, 3_000, SLICE);
		expect(sent).toHaveLength(8);
	});

	it("takes sound from another stream, and nothing of it before the first picture", () => {
		const { give, giveSound, sent, outgoing } = setUp({ otherSound: true });
		giveSound(7, 100, [1]);
		give(0, 11, 3_000, IDR);
		giveSound(8, 1_060, [2]);
		give(1, 50, 9, [1, 2, 3]);
		expect(sent.map((one) => u32(one, 8))).toEqual([0x1000, 0x1000, 0x2000]);
		expect(payloadOf(sent[2]!)).toEqual([2]);
		outgoing.sound.end(new GoneError("stream.ended", "over"));
		give(0, 12, 6_000, SLICE);
		expect(sent).toHaveLength(4);
	});

	it("counts packets that fit no datagram, and RTCP that cannot be read", () => {
		const { give, sent, outgoing, receive } = setUp({ codec: { name: "VP8" } });
		give(0, 11, 0, IDR);
		give(0, 12, 0, [...IDR, ...new Array<number>(1_500).fill(1)]);
		expect(sent).toHaveLength(1);
		expect(outgoing.statistics.tracks[0]?.oversized).toBe(1);
		receive(writePli(1, 0x1000).subarray(0, 9));
		expect(outgoing.rtcpErrors).toBe(1);
	});

	it("says goodbye when the stream ends, and leaves no timer behind", () => {
		const { give, outgoing, control, ended, clock, sent } = setUp();
		give(0, 11, 0, IDR);
		outgoing.end(new GoneError("stream.ended", "over"));
		outgoing.end(new GoneError("stream.ended", "over"));
		outgoing[Symbol.dispose]();
		give(0, 12, 3_000, SLICE);
		const bye = control.flatMap((one) => parseRtcp(one)).filter(({ type }) => type === "BYE");
		expect(bye).toEqual([{ type: "BYE", ssrcs: [0x1000, 0x2000], reason: "" }]);
		expect(ended).toHaveLength(1);
		expect(clock.pending).toBe(0);
		expect(sent).toHaveLength(2);
	});
});
