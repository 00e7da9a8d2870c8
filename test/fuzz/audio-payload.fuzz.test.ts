import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { readAc3Header } from "../../media-node/codecs/ac3.ts";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { isWholeKlv } from "../../media-node/codecs/klv.ts";
import { parseStreamMuxConfig, readAudioMuxElements } from "../../media-node/codecs/latm.ts";
import { readMpegAudioHeader } from "../../media-node/codecs/mpeg-audio.ts";
import { createDepacketizer } from "../../media-node/rtp/depacketizer.ts";
import { newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { bytesOfHex } from "../support/hex.ts";
import { mutated } from "../support/mutate.ts";
import { rtpPacket } from "../support/rtp-stream.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const KEY = "060e2b34020b01010e01030101000000";
const zeros = (count: number) => "00".repeat(count);
const LATM = "config=400023203fc0";
const AAC: Codec = { name: "MPEG-4 Audio", config: bytesOfHex("1190") };

/** Payloads by codec: whole frames, several of them, and both parts of one. */
const SOURCES: readonly { codec: Codec; fmtp: string; payloads: readonly string[] }[] = [
	{
		codec: { name: "MPEG-1/2 Audio" },
		fmtp: "",
		payloads: [
			`00000000fffb1464${zeros(92)}fffb1464${zeros(92)}`,
			`00000000fffb1464${zeros(46)}`,
			`00000032${zeros(46)}`,
		],
	},
	{
		codec: { name: "AC3", sampleRate: 48_000, channels: 2 },
		fmtp: "",
		payloads: [`00010b770000004040${zeros(121)}`, `02020b770000004040${zeros(57)}`, `0302${zeros(64)}`],
	},
	{ codec: AAC, fmtp: `cpresent=0; ${LATM}`, payloads: ["03aabbcc02ddee", "06aabbcc", "ddeeff"] },
	{ codec: AAC, fmtp: LATM, payloads: ["81555500", "200011901fe00aa8", "8155", "5500"] },
	{ codec: { name: "KLV" }, fmtp: "", payloads: [`${KEY}03010203${KEY}8101ff`, KEY, "03010203"] },
	{ codec: { name: "MPEG-TS" }, fmtp: "", payloads: [`47${zeros(187)}47${zeros(187)}`] },
	{
		codec: { name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 2 },
		fmtp: "",
		payloads: [zeros(60), zeros(12)],
	},
];

test.each(SOURCES)("damaged packets of $codec.name $fmtp throw nothing, and give frames within bounds", (source) => {
	const { codec, fmtp, payloads } = source;
	const good = payloads.map((hex, i) =>
		rtpPacket({ payload: bytesOfHex(hex), sequence: i, timestamp: 9, marker: i !== payloads.length - 2 }),
	);
	const packet = newRtpPacket();
	fc.assert(
		fc.property(fc.array(mutated(good, 4), { maxLength: 20 }), (packets) => {
			const depacketizer = createDepacketizer(codec, { encoding: fmtp === "" ? "" : "MP4A-LATM/48000", fmtp })!;
			let received = 0;
			let given = 0;
			for (const bytes of [...packets, ...good]) {
				if (!readRtpPacket(packet, bytes, 0, bytes.length)) continue;
				received += packet.payloadLength;
				for (const { frames } of depacketizer.push(bytes, packet)) {
					expect(frames.length).toBeGreaterThan(0);
					for (const frame of frames) {
						expect(frame.length).toBeGreaterThan(0);
						given += frame.length;
					}
				}
			}
			expect(given).toBeLessThanOrEqual(received);
		}),
		{ seed, numRuns: 2_000 },
	);
});

test("a StreamMuxConfig is read or refused with a ProtocolError", () => {
	const seeds = ["400023203fc0", "40005623101fe0", "8ff800025131056e598ffa03e8"].map(bytesOfHex);
	fc.assert(
		fc.property(mutated(seeds), (bytes) => {
			try {
				const { config, frames } = parseStreamMuxConfig(bytes);
				expect(config.length).toBeLessThanOrEqual(bytes.length);
				expect(frames).toBeLessThanOrEqual(64);
			} catch (error) {
				expect(error).toBeInstanceOf(ProtocolError);
			}
		}),
		{ seed, numRuns: 10_000 },
	);
});

test("what only looks never throws", () => {
	const seeds = ["fffb9064", "0b7700001e4040", `${KEY}8101ff`, "03aabbcc02ddee"].map(bytesOfHex);
	const layout = { config: bytesOfHex("1190"), frames: 2, otherBits: 3 };
	fc.assert(
		fc.property(mutated(seeds), fc.boolean(), (bytes, inBand) => {
			expect(readMpegAudioHeader(bytes)?.frameBytes ?? 24).toBeGreaterThanOrEqual(24);
			expect(readAc3Header(bytes)?.frameBytes ?? 128).toBeGreaterThanOrEqual(128);
			isWholeKlv(bytes);
			readAudioMuxElements(bytes, layout, inBand);
		}),
		{ seed, numRuns: 10_000 },
	);
});
