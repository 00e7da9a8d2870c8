import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { u16, u32 } from "../../bytes/big-endian.ts";
import { parseRtcp, writeRtcp } from "../../rtp/rtcp-packet.ts";
import type { Publication, RenditionRequest } from "../../stream/publication.ts";
import { type Feedback, parseFeedback } from "../rtcp-feedback.ts";
import { type ExtensionIds, NO_EXTENSIONS } from "../sdp/header-extensions.ts";
import { Incoming } from "./incoming.ts";
import type { IncomingMedia } from "./incoming-track.ts";

const IDS: ExtensionIds = { mid: 1, rid: 2, repairedRid: 5, absSendTime: 0, transportSequence: 3 };
const VIDEO: IncomingMedia = {
	extensions: IDS,
	mid: "v",
	track: {
		kind: "video",
		codec: { name: "VP8" },
		clockRate: 90_000,
		rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
	},
	rtxPayloadType: 97,
	hasNack: true,
	keyFrameRequest: "pli",
	ssrcs: [],
	rids: [],
};
const AUDIO: IncomingMedia = {
	extensions: NO_EXTENSIONS,
	mid: "a",
	track: {
		kind: "audio",
		codec: { name: "Opus", channels: 2 },
		clockRate: 48_000,
		rtp: { payloadType: 111, encoding: "opus/48000/2", fmtp: "" },
	},
	rtxPayloadType: null,
	hasNack: false,
	keyFrameRequest: null,
	ssrcs: [],
	rids: [],
};
const KEY = [0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 0, 0];
const DELTA = [0x10, 1, 0, 0];

type Packet = {
	readonly pt?: number;
	readonly seq: number;
	readonly ts?: number;
	readonly ssrc?: number;
	readonly payload?: readonly number[];
	readonly mid?: string;
	readonly rid?: string;
	readonly repaired?: string;
	readonly transport?: number;
};

function rtp({ pt = 96, seq, ts = 0, ssrc = 1, payload = DELTA, mid, rid, repaired, transport }: Packet): Uint8Array {
	const data: number[] = [];
	for (const [id, text] of [
		[1, mid],
		[2, rid],
		[5, repaired],
	] as const) {
		if (text !== undefined) data.push((id << 4) | (text.length - 1), ...Buffer.from(text));
	}
	if (transport !== undefined) data.push(0x31, transport >> 8, transport & 0xff);
	while (data.length % 4 !== 0) data.push(0);
	const header = Buffer.alloc(12);
	header[0] = data.length > 0 ? 0x90 : 0x80;
	header[1] = pt;
	header.writeUInt16BE(seq & 0xffff, 2);
	header.writeUInt32BE(ts >>> 0, 4);
	header.writeUInt32BE(ssrc, 8);
	return Uint8Array.from([
		...header,
		...(data.length > 0 ? [0xbe, 0xde, 0, data.length / 4, ...data] : []),
		...payload,
	]);
}

function setUp(tracks: readonly IncomingMedia[] = [VIDEO, AUDIO]) {
	const clock = new FakeClock();
	const got: { track: number; seq: number; ts: number; first: number; bytes: Uint8Array }[] = [];
	const reports: { track: number; wallclockMs: number; rtpTime: number }[] = [];
	const warnings: string[] = [];
	const sent: Uint8Array[] = [];
	let flushes = 0;
	/** By name: packets, whether they were flushed, sender reports; and what its readers can ask for. */
	const renditions: Record<string, { seqs: number[]; flushes: number; reports: number; request: RenditionRequest }> =
		{};
	const publication: Publication = {
		tracks: [],
		addRendition(track, request) {
			expect([track, renditions[request.name]]).toEqual([0, undefined]);
			const rendition = { seqs: [] as number[], flushes: 0, reports: 0, request };
			renditions[request.name] = rendition;
			return {
				...publication,
				writePacket: (_, bytes, offset) => void rendition.seqs.push(u16(bytes, offset + 2)),
				flush: () => void rendition.flushes++,
				writeSenderReport: () => void rendition.reports++,
			};
		},
		writePacket(track, bytes, offset, length) {
			const copy = Uint8Array.from(bytes.subarray(offset, offset + length));
			got.push({ track, seq: u16(copy, 2), ts: u32(copy, 4), first: copy[0]!, bytes: copy });
		},
		flush: () => void flushes++,
		writeSenderReport: (track, report) => void reports.push({ track, ...report }),
		writeUnit: () => {},
		close: () => {},
	};
	const incoming = new Incoming({
		publication,
		tracks,
		clock,
		sendRtcp: (packet) => void sent.push(packet),
		onWarning: (text) => void warnings.push(text),
	});
	const feed = (...packets: Packet[]) => {
		for (const one of packets) {
			const bytes = rtp(one);
			incoming.rtp(bytes, 0, bytes.length);
		}
	};
	const feedbackOf = (type: Feedback["type"]) =>
		sent.flatMap((one) => parseFeedback(one)).filter((one) => one.type === type);
	return { clock, got, reports, warnings, sent, incoming, feed, feedbackOf, renditions, flushes: () => flushes };
}

describe("Incoming", () => {
	it("finds the track of a packet by MID, by SSRC from then on, and by payload type", () => {
		const { got, feed, incoming } = setUp([VIDEO, { ...VIDEO, mid: "w" }, AUDIO]);
		feed(
			{ seq: 1, ssrc: 10, mid: "w" },
			{ seq: 2, ssrc: 10 },
			{ seq: 1, ssrc: 20, mid: "v" },
			{ seq: 5, ssrc: 30, pt: 111 },
		);
		expect(got.map(({ track, seq }) => [track, seq])).toEqual([
			[1, 1],
			[1, 2],
			[0, 1],
			[2, 5],
		]);
		// Two tracks have the payload type: without a MID it could be either.
		feed({ seq: 1, ssrc: 40 });
		expect(incoming.rtpErrors).toBe(1);
	});

	it("believes what the SDP says of an SSRC", () => {
		const { got, feed } = setUp([VIDEO, { ...VIDEO, mid: "w", ssrcs: [{ ssrc: 10, rtx: 11 }] }]);
		feed({ seq: 1, ssrc: 10 }, { pt: 97, seq: 900, ssrc: 11, payload: [0, 2, ...DELTA] });
		expect(got.map(({ track, seq }) => [track, seq])).toEqual([
			[1, 1],
			[1, 2],
		]);
	});

	it("takes no payload type but the agreed one, and no packet that is cut", () => {
		const { got, feed, incoming } = setUp();
		feed({ seq: 1, mid: "v" }, { seq: 2, pt: 100 }, { seq: 3, pt: 111, ssrc: 1 });
		incoming.rtp(rtp({ seq: 4 }), 0, 11);
		expect(got).toHaveLength(1);
		expect(incoming.rtpErrors).toBe(3);
	});

	it("takes header extensions and padding off", () => {
		const { got, feed } = setUp();
		feed({ seq: 1, mid: "v", transport: 7, payload: [1, 2, 3] });
		expect([...got[0]!.bytes.subarray(12)]).toEqual([1, 2, 3]);
		expect(got[0]!.first).toBe(0x80);
	});

	it("numbers what follows a packet without payload as if that had not been", () => {
		const { got, feed, incoming } = setUp();
		feed({ seq: 1, mid: "v" });
		const bytes = rtp({ seq: 2, payload: [0, 0, 0, 4] });
		bytes[0] = 0xa0;
		incoming.rtp(bytes, 0, bytes.length);
		feed({ seq: 3 }, { seq: 4 });
		expect(got.map(({ seq }) => seq)).toEqual([1, 2, 3]);
	});

	it("asks for missing packets and takes them from retransmissions", async () => {
		const { got, feed, clock, feedbackOf } = setUp();
		feed({ seq: 65_534, mid: "v" }, { seq: 1 });
		await clock.advance(10);
		expect(feedbackOf("NACK")).toEqual([{ type: "NACK", ssrc: 1, sequences: [65_535, 0] }]);
		feed({ pt: 97, ssrc: 2, seq: 5, mid: "v", payload: [0, 0, ...DELTA] });
		feed({ pt: 97, ssrc: 2, seq: 6, payload: [0xff, 0xff, ...DELTA] });
		expect(got.map(({ seq }) => seq)).toEqual([65_534, 65_535, 0, 1]);
		expect(got[1]!.bytes[1]! & 0x7f).toBe(96);
	});

	it("asks for a key frame when packets of video are given up, and at most each 500 ms", async () => {
		const { feed, clock, feedbackOf, got } = setUp();
		feed({ seq: 1, mid: "v" }, { seq: 3 });
		await clock.advance(600);
		expect(got.map(({ seq }) => seq)).toEqual([1, 3]);
		expect(feedbackOf("PLI")).toHaveLength(1);
		await clock.advance(500);
		expect(feedbackOf("PLI")).toHaveLength(2);
		feed({ seq: 4, ts: 1, payload: KEY });
		await clock.advance(2_000);
		expect(feedbackOf("PLI")).toHaveLength(2);
	});

	it("never asks blindly", async () => {
		const { feed, clock, feedbackOf } = setUp();
		for (let seq = 1; seq < 100; seq++) {
			feed({ seq, mid: "v", ts: seq * 3_000 });
			await clock.advance(33);
		}
		expect([feedbackOf("PLI"), feedbackOf("FIR"), feedbackOf("NACK")]).toEqual([[], [], []]);
	});

	it("asks by FIR where only that was agreed upon", () => {
		const { feed, incoming, feedbackOf } = setUp([{ ...VIDEO, keyFrameRequest: "fir" }]);
		feed({ seq: 1, mid: "v", ssrc: 9 });
		incoming.keyFrameNeeded(0);
		expect(feedbackOf("FIR")).toEqual([{ type: "FIR", ssrc: 9, command: 1 }]);
	});

	it("asks as soon as there is somebody to be asked", () => {
		const { feed, incoming, feedbackOf } = setUp();
		incoming.readerJoined();
		expect(feedbackOf("PLI")).toHaveLength(0);
		feed({ seq: 1, mid: "v" });
		expect(feedbackOf("PLI")).toHaveLength(1);
	});

	it("asks for a reader that joins when no key frame came lately", async () => {
		const { feed, clock, incoming, feedbackOf } = setUp();
		feed({ seq: 1, mid: "v", payload: KEY });
		await clock.advance(400);
		incoming.readerJoined();
		expect(feedbackOf("PLI")).toHaveLength(0);
		await clock.advance(200);
		incoming.readerJoined();
		incoming.readerJoined();
		expect(feedbackOf("PLI")).toHaveLength(1);
	});

	it("tells when packets came, every 50 ms, also of packets of nobody", async () => {
		const { feed, clock, feedbackOf } = setUp();
		feed({ seq: 1, mid: "v", transport: 10 }, { seq: 1, ssrc: 77, pt: 5, transport: 11 });
		await clock.advance(50);
		feed({ seq: 2, transport: 12 });
		await clock.advance(100);
		expect(feedbackOf("TWCC")).toHaveLength(2);
	});

	it("sends receiver reports, and passes sender reports on", async () => {
		const { feed, clock, incoming, sent, reports } = setUp();
		feed({ seq: 1, mid: "v", ssrc: 9 });
		const ntp = { seconds: 3_976_000_000, fraction: 0x8000_0000 };
		const report = writeRtcp([{ type: "SR", ssrc: 9, ntp, rtpTime: 4_000, packets: 1, octets: 1, reports: [] }]);
		incoming.rtcp(report, 0, report.length);
		expect(reports).toEqual([{ track: 0, wallclockMs: (3_976_000_000 - 2_208_988_800) * 1000 + 500, rtpTime: 4_000 }]);
		await clock.advance(1_000);
		const [rr] = sent.flatMap((one) => parseRtcp(one)).filter(({ type }) => type === "RR");
		expect(rr).toMatchObject({ reports: [{ ssrc: 9, totalLost: 0, highestSequence: 1, delaySinceLast: 65_536 }] });
	});

	it("flushes once for what one turn of the event loop brings", async () => {
		const { feed, clock, flushes } = setUp();
		feed({ seq: 1, mid: "v" }, { seq: 2 }, { seq: 3 });
		expect(flushes()).toBe(0);
		await clock.advance(0);
		expect(flushes()).toBe(1);
	});

	it("goes on when a track has another SSRC, with numbers and time that go on", async () => {
		const { feed, clock, got } = setUp();
		feed({ seq: 100, ts: 5_000, mid: "v" });
		await clock.advance(100);
		feed({ seq: 7, ts: 900_000, ssrc: 2, mid: "v" }, { seq: 8, ts: 903_000, ssrc: 2 }, { seq: 101, ts: 8_000 });
		expect(got.map(({ seq, ts }) => [seq, ts])).toEqual([
			[100, 5_000],
			[101, 14_000],
			[102, 17_000],
		]);
	});

	it("warns of B-frames once, and says what to set", () => {
		const h264 = { ...VIDEO, track: { ...VIDEO.track, codec: { name: "H264", sps: null, pps: null } as const } };
		const { feed, warnings } = setUp([h264]);
		const times = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8];
		feed(...times.map((time, i) => ({ seq: i, ts: time * 3_000, mid: "v", payload: [0x41, 0x9a, 0, 0] })));
		expect(warnings).toHaveLength(1);
		expect(warnings[0]).toMatch(/-bf 0.*Max B-frames 0/);
	});

	it("leaves no timer behind, and takes nothing after it was disposed", async () => {
		const { incoming, clock, feed, got } = setUp();
		incoming[Symbol.dispose]();
		incoming[Symbol.dispose]();
		feed({ seq: 1, mid: "v" });
		expect(clock.pending).toBe(0);
		expect(got).toEqual([]);
	});
});

describe("Incoming, of a simulcast", () => {
	const SIMULCAST: IncomingMedia = { ...VIDEO, rids: ["h", "l"] };

	/** A second of both encodings, from the numbers on, of which `h` has more; each begins with a key frame. */
	async function second(world: ReturnType<typeof setUp>, from: number, rids: readonly string[]): Promise<void> {
		for (let i = 0; i < 20; i++) {
			for (const rid of rids) {
				const ssrc = rid === "h" ? 1 : 2;
				const ts = (rid === "h" ? 1_000_000 : 5_000) + (from + i) * 4_500;
				const size = rid === "h" ? 900 : 100;
				const payload = [...(i === 0 ? KEY : DELTA), ...new Array<number>(size).fill(0)];
				world.feed({ seq: from + i, ts, ssrc, payload, mid: "v", rid });
			}
			await world.clock.advance(50);
		}
	}

	it("counts every encoding, and publishes the best one that comes from its key frame on", async () => {
		const world = setUp([SIMULCAST]);
		await second(world, 0, ["l", "h"]);
		expect(new Set(world.got.map(({ bytes }) => u32(bytes, 8)))).toEqual(new Set([2]));
		await second(world, 20, ["l", "h"]);
		expect(world.feedbackOf("PLI")).toContainEqual({ type: "PLI", ssrc: 1 });
		const [layers] = world.incoming.statistics;
		expect(layers!.map(({ rid, isPublished, packets }) => [rid, isPublished, packets])).toEqual([
			["l", false, 40],
			["h", true, 40],
		]);
		const { got } = world;
		for (let i = 1; i < got.length; i++) {
			expect(got[i]!.seq).toBe((got[i - 1]!.seq + 1) & 0xffff);
			expect(got[i]!.ts - got[i - 1]!.ts).toBeGreaterThan(0);
			expect(got[i]!.ts - got[i - 1]!.ts).toBeLessThanOrEqual(4_500);
		}
	});

	it("keeps every encoding as a rendition, in its own numbers and with what was lost and sent again", async () => {
		const world = setUp([SIMULCAST]);
		const { feed, clock, feedbackOf, incoming, sent } = world;
		const of = (name: string) => world.renditions[name];
		feed({ seq: 1, ssrc: 2, mid: "v", rid: "l", payload: KEY }, { seq: 70, ssrc: 1, mid: "v", rid: "h" });
		feed({ seq: 2, ssrc: 2 }, { seq: 71, ssrc: 1 }, { seq: 73, ssrc: 1 });
		const probe = rtp({ seq: 3, ssrc: 2, payload: [0, 0, 0, 4] });
		probe[0] = 0xa0;
		incoming.rtp(probe, 0, probe.length);
		feed({ seq: 4, ssrc: 2 });
		await clock.advance(10);
		expect(feedbackOf("NACK")).toEqual([{ type: "NACK", ssrc: 1, sequences: [72] }]);
		feed({ pt: 97, seq: 1, ssrc: 8, mid: "v", repaired: "h", payload: [0, 72, ...DELTA] });
		await clock.advance(10);
		// The first packet of all came before it was known that there are several.
		expect([of("l")?.seqs, of("h")?.seqs]).toEqual([
			[1, 2, 3],
			[70, 71, 72, 73],
		]);
		expect([of("l")?.flushes, of("h")?.flushes].every((count) => (count ?? 0) > 0)).toBe(true);
		const ntp = { seconds: 3_976_000_000, fraction: 0 };
		incoming.rtcp(writeRtcp([{ type: "SR", ssrc: 1, ntp, rtpTime: 4_000, packets: 1, octets: 1, reports: [] }]));
		expect([of("l")?.reports, of("h")?.reports]).toEqual([0, 1]);
		const before = sent.length;
		of("h")?.request.onKeyFrameNeeded();
		expect(sent.slice(before).flatMap((one) => parseFeedback(one))).toEqual([{ type: "PLI", ssrc: 1 }]);
		expect(of("h")?.request.bitrate()).toBeGreaterThan(0);
	});

	it("goes back to another encoding when the best one falls silent", async () => {
		const world = setUp([SIMULCAST]);
		await second(world, 0, ["h", "l"]);
		await second(world, 20, ["l"]);
		await second(world, 40, ["l"]);
		await second(world, 60, ["l"]);
		expect(world.incoming.statistics[0]!.find(({ isPublished }) => isPublished)?.rid).toBe("l");
		expect(world.got.length).toBeGreaterThan(40);
	});

	it("gives a retransmission to the encoding that it names", async () => {
		const world = setUp([SIMULCAST]);
		const { feed, got } = world;
		feed({ seq: 1, ssrc: 2, mid: "v", rid: "l", payload: KEY }, { seq: 1, ssrc: 1, mid: "v", rid: "h" });
		feed({ seq: 3, ssrc: 2 });
		feed({ pt: 97, seq: 1, ssrc: 8, mid: "v", repaired: "l", payload: [0, 2, ...DELTA] });
		expect(got.map(({ seq }) => seq)).toEqual([1, 2, 3]);
	});

	it("asks for the first key frame, and not for each packet that is none", async () => {
		const { feed, feedbackOf, clock, got } = setUp([SIMULCAST]);
		for (let seq = 0; seq < 100; seq++) {
			feed({ seq, ssrc: 2, mid: "v", rid: "l" });
			await clock.advance(10);
		}
		expect(got).toEqual([]);
		expect(feedbackOf("PLI")).toHaveLength(3);
	});

	it("waits for the name of an encoding", () => {
		const { feed, got, incoming } = setUp([SIMULCAST]);
		feed({ seq: 1, ssrc: 2, mid: "v", payload: KEY }, { seq: 2, ssrc: 3, mid: "v", rid: "x", payload: KEY });
		expect(got).toEqual([]);
		expect(incoming.rtpErrors).toBe(2);
	});
});
