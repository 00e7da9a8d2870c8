import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import type { Codec } from "../../media-node/codecs/codec.ts";
import { matroskaHeader } from "../../media-node/transcode/matroska-writer.ts";
import { PacketCutter } from "../../media-node/transcode/packet-cutter.ts";
import { describedBy, transcodeInputOf } from "../../media-node/transcode/transcode-input.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const codec: fc.Arbitrary<Codec> = fc.oneof(
	fc.record({ name: fc.constant("MPEG-4 Audio" as const), config: fc.uint8Array({ maxLength: 12 }) }),
	fc.record({ name: fc.constant("Opus" as const), channels: fc.integer({ min: 0, max: 255 }) }),
	fc.record({
		name: fc.constant("LPCM" as const),
		bitDepth: fc.constantFrom(8, 16, 24),
		sampleRate: fc.integer({ min: 1, max: 10_000_000 }),
		channels: fc.integer({ min: 1, max: 64 }),
	}),
	fc.constant({ name: "MPEG-1/2 Audio" as const }),
);

test("any codec is described to a decoder, or is not; and any first frame tells something, or nothing", () => {
	fc.assert(
		fc.property(codec, fc.integer({ min: 1, max: 1e7 }), fc.uint8Array({ maxLength: 8 }), (any, clockRate, frame) => {
			const input = transcodeInputOf(any, clockRate);
			const described = input === null ? null : describedBy(input, frame);
			if (described === null) return;
			expect(described.channels).toBeGreaterThan(0);
			expect(described.sampleRate).toBeGreaterThan(0);
			expect(matroskaHeader(described).length).toBeLessThan(400);
		}),
		{ seed, numRuns: 2000 },
	);
});

test("any bytes of a program are cut into packets that hold them, or refused, and little of them is kept", () => {
	const aac = fc.uint8Array({ maxLength: 300 }).map((bytes) => {
		// An ADTS header of ISO 14496-3 §1.A.2 of AAC-LC at 48 kHz, with a length that is right more often than not.
		const whole = new Uint8Array(bytes.length + 7);
		whole.set([0xff, 0xf1, 0x4c, 0x40 | (whole.length >> 11), (whole.length >> 3) & 0xff, (whole.length & 7) << 5, 0]);
		whole.set(bytes, 7);
		return whole;
	});
	const chunks = fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), aac, aac), { maxLength: 8 });
	let cut = 0;
	fc.assert(
		fc.property(chunks, fc.constantFrom("Opus" as const, "AAC" as const), (pieces, to) => {
			const cutter = new PacketCutter(to, 1);
			let given = 0;
			let taken = 0;
			try {
				for (const piece of pieces) {
					given += piece.length;
					for (const packet of cutter.push(piece)) {
						taken += packet.length;
						cut++;
					}
				}
			} catch (error) {
				expect(error).toBeInstanceOf(ProtocolError);
			}
			expect(taken).toBeLessThanOrEqual(given);
		}),
		{ seed, numRuns: 3000 },
	);
	expect(cut).toBeGreaterThan(1000);
});
