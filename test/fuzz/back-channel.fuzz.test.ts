import { describe, expect, it } from "vitest";
import { newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { unsupportedTags, wantsBackChannel } from "../../media-node/rtsp/back-channel.ts";
import { ClientBackChannel } from "../../media-node/rtsp/client-back-channel.ts";
import type { ClientConnection } from "../../media-node/rtsp/client-connection.ts";
import { Talker } from "../../media-node/rtsp/talker.ts";
import { BackChannelSeat } from "../../media-node/stream/back-channel.ts";
import type { ReadableStreamOfPath } from "../../media-node/stream/publication.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rtpPacket } from "../support/rtp-stream.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_270_318);

/** A small generator of numbers from 0 up to 1: the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

describe(`a reader that sends anything (FUZZ_SEED=${SEED})`, () => {
	it("never breaks the way to the camera, which gets valid packets of its payload type and nothing else", () => {
		const random = generator(SEED);
		const sent: Uint8Array[] = [];
		// What is used of a connection is its way out.
		const connection = { channel: { pendingBytes: 0 }, send: (bytes: Uint8Array) => void sent.push(bytes) };
		const codec = { name: "Generic" } as const;
		const rtp = { payloadType: 8, encoding: "PCMA/8000", fmtp: "" };
		const channel = new ClientBackChannel({
			media: {
				control: "",
				address: null,
				port: 0,
				keyManagement: null,
				track: { kind: "audio", codec, clockRate: 8000, rtp },
			},
			way: { protocol: "tcp", channels: [2, 3] },
			ssrc: 7,
			connection: connection as unknown as ClientConnection,
			clock: new FakeClock(),
		});
		channel.open();
		const stream = { path: "cam", backChannel: new BackChannelSeat(channel) } as unknown as ReadableStreamOfPath;
		const transport = { protocol: "tcp", secure: false, channels: [2, 3] } as const;
		using talker = new Talker({ stream, transport, opener: null });
		for (let round = 0; round < 3000; round++) {
			const bytes = rtpPacket({
				payloadType: random() < 0.8 ? 8 : Math.floor(random() * 128),
				sequence: round,
				timestamp: round * 160,
				payload: Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)),
			});
			for (let n = Math.floor(random() * 3); n > 0; n--) bytes[Math.floor(random() * 14)] = Math.floor(random() * 256);
			talker.frame(2, bytes, 0, Math.floor(random() * (bytes.length + 1)));
			talker.frame(2, bytes, 0, bytes.length);
		}
		expect(sent.length).toBeGreaterThan(1000);
		const packet = newRtpPacket();
		for (const frame of sent) {
			expect([frame[0], frame[1], frame.length - 4]).toEqual([0x24, 2, ((frame[2] ?? 0) << 8) | (frame[3] ?? 0)]);
			expect(readRtpPacket(packet, frame, 4, frame.length - 4)).toBe(true);
			expect(packet.payloadType).toBe(8);
		}
	});

	it("may require anything", () => {
		const random = generator(SEED + 1);
		const alphabet = "www.onvif.org/ver20/backchannel, \t;,é\0";
		for (let round = 0; round < 500; round++) {
			const letter = () => alphabet[Math.floor(random() * alphabet.length)] ?? "";
			const text = Array.from({ length: Math.floor(random() * 60) }, letter).join("");
			const headers = new Map([["require", text]]);
			expect(wantsBackChannel(headers)).toBe(false);
			expect(unsupportedTags(headers).every((tag) => tag !== "" && !tag.includes(","))).toBe(true);
		}
	});
});
