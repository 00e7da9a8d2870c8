import { describe, expect, it } from "vitest";
import { writeAudioSpecificConfig } from "../codecs/aac.ts";
import type { Codec } from "../codecs/codec.ts";
import { outputChannels } from "./ffmpeg-arguments.ts";
import { describedBy, transcodeInputOf } from "./transcode-input.ts";

describe("transcodeInputOf", () => {
	it.each<[string, Codec, number]>([
		["pictures", { name: "VP8" }, 90_000],
		["data", { name: "KLV" }, 90_000],
		["what nobody knows", { name: "Generic" }, 8000],
		["a configuration that is cut short", { name: "MPEG-4 Audio", config: Uint8Array.of(0x12) }, 44_100],
		["no configuration", { name: "MPEG-4 Audio", config: new Uint8Array(0) }, 44_100],
		["an object type that is not supported", { name: "MPEG-4 Audio", config: Uint8Array.of(0xb0, 0x10) }, 44_100],
		["G.722 of two channels, which no decoder takes", { name: "G722", channels: 2 }, 8000],
		["Opus of nine channels", { name: "Opus", channels: 9 }, 48_000],
	])("is null for %s", (_, codec, clockRate) => expect(transcodeInputOf(codec, clockRate)).toBeNull());

	it("says what a decoder must know of AAC, and that parametric stereo is of two channels", () => {
		const config = writeAudioSpecificConfig({ sampleRate: 44_100, channels: 2 });
		expect(transcodeInputOf({ name: "MPEG-4 Audio", config }, 44_100)).toMatchObject({
			...{ codecId: "A_AAC", codecPrivate: config, sampleRate: 44_100, channels: 2 },
		});
		// HE-AAC v2 of ISO 14496-3 §1.6.2.1: object type 29, 22.05 kHz, one channel, extended to 44.1 kHz, core LC.
		const v2 = transcodeInputOf({ name: "MPEG-4 Audio", config: Uint8Array.of(0xeb, 0x8a, 0x08, 0x00) }, 44_100);
		expect(v2).toMatchObject({ sampleRate: 22_050, channels: 2 });
	});

	it("writes the WAVEFORMATEX of G.711 and the header of RFC 7845 for Opus of 6 channels, to be played in two", () => {
		const g711 = transcodeInputOf({ name: "G711", law: "a", sampleRate: 8000, channels: 1 }, 8000);
		expect(Buffer.from(g711?.codecPrivate ?? []).toString("hex")).toBe("06000100401f0000401f0000010008000000");
		const opus = transcodeInputOf({ name: "Opus", channels: 6 }, 48_000);
		expect(Buffer.from(opus?.codecPrivate ?? []).toString("hex")).toBe(
			`${Buffer.from("OpusHead").toString("hex")}0106000080bb00000000010402000401020305`,
		);
		expect(outputChannels(opus ?? { channels: 0 })).toBe(2);
	});

	it("learns of MPEG audio from its first frame, and from nothing else", () => {
		const input = transcodeInputOf({ name: "MPEG-1/2 Audio" }, 90_000);
		if (input === null) throw new TypeError("MPEG audio is sound");
		// MPEG-1 layer III, 128 kbit/s, 32 kHz, one channel: ISO 11172-3 §2.4.2.3.
		expect(describedBy(input, Uint8Array.of(0xff, 0xfb, 0x98, 0xc0))).toMatchObject({
			sampleRate: 32_000,
			channels: 1,
		});
		for (const bytes of [[], [0xff], [0xff, 0xfb, 0x98], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff]]) {
			expect(describedBy(input, Uint8Array.from(bytes))).toBeNull();
		}
	});
});
