import fc from "fast-check";
import { expect, test } from "vitest";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { jpegHeaders, parseJpeg } from "../../media-node/codecs/jpeg.ts";
import { MAX_ACCESS_UNIT_BYTES } from "../../media-node/rtp/access-unit.ts";
import { createDepacketizer } from "../../media-node/rtp/depacketizer.ts";
import { createPacketizer } from "../../media-node/rtp/packetizer.ts";
import { startsRandomAccess } from "../../media-node/rtp/random-access.ts";
import { newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { bytesOfHex } from "../support/hex.ts";
import { mutated } from "../support/mutate.ts";
import { packetsOf } from "../support/packetize.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const NO_FORMAT = { encoding: "", fmtp: "" };
const MAX_PAYLOAD_BYTES = 160;

const table = new Uint8Array(64).fill(9);
const headers = jpegHeaders({
	...{ width: 64, height: 48, sampling: "4:2:0", luma: table, chroma: table, restartInterval: 3 },
});
const JPEG = Uint8Array.from([...headers, ...new Uint8Array(300).fill(0x5a), 0xff, 0xd9]);
const tail = (hex: string, length: number) => Uint8Array.from([...bytesOfHex(hex), ...new Uint8Array(length).fill(7)]);

const SOURCES: readonly { codec: Codec; frames: readonly Uint8Array[] }[] = [
	{ codec: { name: "AV1" }, frames: [bytesOfHex("0800"), tail("3010", 400), bytesOfHex("2801"), bytesOfHex("3030")] },
	{ codec: { name: "VP9" }, frames: [tail("8249", 400)] },
	{ codec: { name: "VP8" }, frames: [tail("50aa", 400)] },
	{ codec: { name: "MPEG-4 Video", config: null }, frames: [tail("000001b001 0000012000 000001b610", 400)] },
	{
		codec: { name: "MPEG-1/2 Video" },
		frames: [tail("000001b314 00000100014ffff8 0000010177 0000010277 00000103", 400)],
	},
	{ codec: { name: "M-JPEG" }, frames: [JPEG] },
];
/** JFIF headers stand before each picture that packets tell of in a few bytes: tables of 16 bits, and all Huffman tables. */
const addedBytes = (codec: Codec) => (codec.name === "M-JPEG" ? 1_000 : 0);

test.each(SOURCES)(
	"damaged packets of $codec.name throw nothing, and give units within bounds",
	({ codec, frames }) => {
		const good = packetsOf(
			createPacketizer(codec, 90_000)!,
			[0, 3_000, 6_000].map((rtpTime) => ({ frames, rtpTime })),
			{ maxPayloadBytes: MAX_PAYLOAD_BYTES },
		);
		const packet = newRtpPacket();
		fc.assert(
			fc.property(fc.array(mutated(good, 4), { maxLength: 20 }), (packets) => {
				const depacketizer = createDepacketizer(codec, NO_FORMAT)!;
				let received = 0;
				let given = 0;
				for (const bytes of [...packets, ...good]) {
					if (!readRtpPacket(packet, bytes, 0, bytes.length)) continue;
					received += bytes.length;
					startsRandomAccess(codec.name, bytes, packet.payloadOffset, packet.payloadLength);
					for (const unit of depacketizer.push(bytes, packet)) {
						expect(unit.frames.length).toBeGreaterThan(0);
						received += addedBytes(codec);
						for (const frame of unit.frames) {
							expect(frame.length).toBeGreaterThan(0);
							given += frame.length;
						}
					}
				}
				expect(given).toBeLessThanOrEqual(Math.min(received, MAX_ACCESS_UNIT_BYTES));
			}),
			{ seed, numRuns: 1_000 },
		);
	},
);

test.each(SOURCES)("every truncation of a packet of $codec.name is left out or read, and throws nothing", (source) => {
	const { codec, frames } = source;
	const packet = newRtpPacket();
	const options = { maxPayloadBytes: MAX_PAYLOAD_BYTES };
	for (const whole of packetsOf(createPacketizer(codec, 90_000)!, [{ frames, rtpTime: 0 }], options)) {
		for (let length = 0; length < whole.length; length++) {
			const cut = whole.slice(0, length);
			if (!readRtpPacket(packet, cut, 0, length)) continue;
			startsRandomAccess(codec.name, cut, packet.payloadOffset, packet.payloadLength);
			for (const unit of createDepacketizer(codec, NO_FORMAT)!.push(cut, packet)) {
				for (const frame of unit.frames) expect(frame.length).toBeLessThan(length + addedBytes(codec));
			}
		}
	}
});

test.each(SOURCES)("any frame of $codec.name is packed within bounds, or left out", ({ codec, frames }) => {
	const packetize = createPacketizer(codec, 90_000)!;
	const anything = fc.oneof(mutated(frames, 8), fc.uint8Array({ maxLength: 300 }));
	fc.assert(
		fc.property(fc.array(anything, { maxLength: 5 }), fc.integer({ min: 64, max: 300 }), (units, max) => {
			for (const { bytes } of packetize(units, max)) {
				expect(bytes.length).toBeGreaterThan(0);
				expect(bytes.length).toBeLessThanOrEqual(max);
			}
		}),
		{ seed, numRuns: 1_000 },
	);
});

test("what is read of a damaged JPEG is again a JPEG that says the same", () => {
	fc.assert(
		fc.property(mutated([JPEG], 3), (bytes) => {
			const picture = parseJpeg(bytes);
			if (picture === null) return;
			expect(parseJpeg(Uint8Array.from([...jpegHeaders(picture), ...picture.scan, 0xff, 0xd9]))).toEqual(picture);
		}),
		{ seed, numRuns: 2_000 },
	);
});
