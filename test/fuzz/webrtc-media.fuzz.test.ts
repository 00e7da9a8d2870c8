import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCode } from "#shared/problem.ts";
import { newRtpPacket, readRtpPacket, writeRtpHeader } from "../../media-node/rtp/rtp-packet.ts";
import { BatchBuilder } from "../../media-node/stream/batch-builder.ts";
import type { Publication } from "../../media-node/stream/publication.ts";
import type { Track } from "../../media-node/stream/track.ts";
import { Incoming } from "../../media-node/webrtc/receive/incoming.ts";
import type { IncomingMedia } from "../../media-node/webrtc/receive/incoming-track.ts";
import { TransportCc } from "../../media-node/webrtc/receive/transport-cc.ts";
import { parseFeedback, writeFir, writeNack, writePli, writeRemb } from "../../media-node/webrtc/rtcp-feedback.ts";
import { findExtension, NO_EXTENSIONS } from "../../media-node/webrtc/sdp/header-extensions.ts";
import { Outgoing } from "../../media-node/webrtc/send/outgoing.ts";
import { parseTransportFeedback } from "../../media-node/webrtc/send/transport-feedback.ts";
import { FakeClock } from "../support/fake-clock.ts";

const IDS = { ...NO_EXTENSIONS, mid: 1, rid: 2, repairedRid: 5, transportSequence: 3 };
const VIDEO: Track = {
	index: 0,
	kind: "video",
	codec: { name: "H264", sps: null, pps: null },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "H264/90000", fmtp: "" },
};
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const noise = fc.uint8Array({ maxLength: 200 });

/** Feedback packets, of which some bytes are others. */
const feedback = fc
	.record({
		kind: fc.integer({ min: 0, max: 4 }),
		sequences: fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 20 }),
		flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
		cut: fc.nat(300),
	})
	.map(({ kind, sequences, flips, cut }) => {
		const cc = new TransportCc();
		for (const [i, sequence] of sequences.entries()) cc.received(sequence, 1_000 + i);
		const [first = 0] = sequences;
		const packets = [
			() => writeNack(1, 7, sequences),
			() => writePli(1, 7),
			() => writeFir(1, 7, 1),
			() => writeRemb(1, first * 1_000, [7]),
			() => cc.feedback(1, 7, 1_000)[0] ?? new Uint8Array(0),
		];
		const bytes = packets[kind]?.() ?? new Uint8Array(0);
		for (const [at, value] of flips) bytes[at % Math.max(1, bytes.length)] = value;
		return bytes.subarray(0, Math.max(0, bytes.length - (cut < 20 ? cut : 0)));
	});

/** RTP packets of a few sources, with extensions of any bytes. */
const rtp = fc
	.record({
		payloadType: fc.constantFrom(96, 96, 96, 97, 98),
		sequence: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 0xffff })),
		ssrc: fc.integer({ min: 1, max: 6 }),
		extension: fc.uint8Array({ maxLength: 24 }),
		payload: fc.uint8Array({ maxLength: 40 }),
		first: fc.constantFrom(0x80, 0x90, 0x90, 0xb0, 0x92),
	})
	.map(({ payloadType, sequence, ssrc, extension, payload, first }) => {
		const words = Math.ceil(extension.length / 4);
		const bytes = new Uint8Array(16 + words * 4 + payload.length);
		writeRtpHeader(bytes, 0, { ...newRtpPacket(), payloadType, sequence, ssrc, timestamp: sequence * 10 });
		bytes[0] = first;
		bytes.set([0xbe, 0xde, 0, words, ...extension], 12);
		bytes.set(payload, 16 + words * 4);
		return bytes;
	});

describe("The media of WebRTC", () => {
	it("reads feedback of any bytes, or says that it is malformed", () => {
		fc.assert(
			fc.property(fc.oneof(noise, feedback), (bytes) => {
				try {
					for (const one of parseFeedback(bytes)) {
						if (one.type === "TWCC") parseTransportFeedback(bytes, one.offset, one.length);
					}
				} catch (error) {
					expect(hasCode(error, "bytes.truncated", "bytes.malformed")).toBe(true);
				}
			}),
			{ numRuns: 2_000, seed },
		);
	});

	it("finds extensions within the packet only", () => {
		fc.assert(
			fc.property(fc.oneof(noise, rtp), fc.integer({ min: 1, max: 255 }), (bytes, id) => {
				const place = { offset: 0, length: 0 };
				if (!findExtension(place, bytes, 0, bytes.length, id)) return;
				expect(place.offset).toBeGreaterThanOrEqual(16);
				expect(place.offset + place.length).toBeLessThanOrEqual(bytes.length);
			}),
			{ numRuns: 2_000, seed },
		);
	});

	it("takes any packets of a publisher without a crash, and gives only whole ones on", async () => {
		const step = fc.record({
			bytes: fc.oneof({ weight: 8, arbitrary: rtp }, noise),
			ms: fc.integer({ min: 0, max: 60 }),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.array(step, { maxLength: 60 }),
				fc.array(fc.oneof(noise, feedback), { maxLength: 5 }),
				async (steps, rtcp) => {
					const clock = new FakeClock();
					const packet = newRtpPacket();
					const publication: Publication = {
						tracks: [VIDEO],
						writePacket(track, bytes, offset, length) {
							expect(track).toBeLessThan(2);
							expect(readRtpPacket(packet, bytes, offset, length)).toBe(true);
							expect([packet.payloadType, packet.payloadLength > 0]).toEqual([96, true]);
						},
						flush: () => {},
						writeSenderReport: () => {},
						writeUnit: () => {},
						close: () => {},
					};
					const track: IncomingMedia = {
						extensions: IDS,
						mid: "0",
						track: VIDEO,
						rtxPayloadType: 97,
						hasNack: true,
						keyFrameRequest: "pli",
						ssrcs: [{ ssrc: 1, rtx: 2 }],
						rids: [],
					};
					const incoming = new Incoming({
						publication,
						tracks: [track, { ...track, mid: "1", ssrcs: [], rids: ["a", "b"] }],
						clock,
						sendRtcp: (bytes) => void parseFeedback(bytes),
						onWarning: () => {},
					});
					for (const { bytes, ms } of steps) {
						incoming.rtp(Uint8Array.from(bytes), 0, bytes.length);
						await clock.advance(ms);
					}
					for (const bytes of rtcp) incoming.rtcp(bytes, 0, bytes.length);
					await clock.advance(1_000);
					incoming[Symbol.dispose]();
					expect(clock.pending).toBe(0);
				},
			),
			{ numRuns: 60, seed },
		);
	}, 60_000);

	it("takes any feedback of a viewer without a crash, and sends what was sent before only", async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(fc.oneof(noise, feedback), { maxLength: 40 }), async (packets) => {
				const clock = new FakeClock();
				let sent = 0;
				const outgoing = new Outgoing({
					stream: { tracks: [VIDEO] },
					tracks: [
						{
							mid: "0",
							track: VIDEO,
							payloadType: 102,
							rtxPayloadType: 103,
							ssrc: 7,
							rtxSsrc: 8,
							cname: "us",
							hasNack: true,
							hasTransportCc: true,
							hasRemb: false,
							extensions: IDS,
						},
					],
					clock,
					sendRtp: (bytes) => {
						expect(bytes.length).toBeLessThanOrEqual(1_500);
						sent++;
						return true;
					},
					sendRtcp: () => {},
					askKeyFrame: () => {},
					onEnd: () => {},
					onWarning: () => {},
				});
				const builder = new BatchBuilder([VIDEO], (batch) => outgoing.push(batch));
				for (const [i, bytes] of packets.entries()) {
					const header = { ...newRtpPacket(), payloadType: 96, sequence: i, timestamp: i * 3_000, ssrc: 1 };
					builder.addPayload(0, Uint8Array.from([i === 0 ? 0x65 : 0x41, 1, 2]), header, i === 0, clock.now());
					builder.flush();
					outgoing.rtcp(bytes, 0, bytes.length);
					await clock.advance(40);
				}
				const [track] = outgoing.statistics.tracks;
				expect(sent).toBe((track?.packets ?? 0) + (track?.retransmitted ?? 0));
				outgoing[Symbol.dispose]();
				expect(clock.pending).toBe(0);
			}),
			{ numRuns: 60, seed },
		);
	}, 60_000);
});
