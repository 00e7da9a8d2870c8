import { expect, it } from "vitest";
import { hasCode } from "#shared/problem.ts";
import { findBox } from "../../test/support/fragment-reader.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { Codec } from "../codecs/codec.ts";
import { sampleEntryOf } from "./sample-entry.ts";

const SPS = bytesOfHex("6764000dacd94141fb0110000003001000000303c0f1429960");
const PPS = bytesOfHex("68ebe3cb22c0");

it.each<{ name: string; codec: Codec; says: object }>([
	{
		name: "H.264",
		codec: { name: "H264", sps: SPS, pps: PPS },
		says: { kind: "video", width: 320, height: 240, frameRate: 30 },
	},
	{
		name: "AAC-LC",
		codec: { name: "MPEG-4 Audio", config: bytesOfHex("1210") },
		says: { kind: "audio", channels: 2, sampleRate: 44_100 },
	},
	// ISO 14496-3 §1.6.2.1: object type 5 over AAC-LC at 24 kHz, mono; and 29, whose parametric stereo makes two channels.
	{
		name: "HE-AAC",
		codec: { name: "MPEG-4 Audio", config: bytesOfHex("2b098800") },
		says: { kind: "audio", channels: 1, sampleRate: 48_000 },
	},
	{
		name: "HE-AAC v2",
		codec: { name: "MPEG-4 Audio", config: bytesOfHex("eb098800") },
		says: { kind: "audio", channels: 2, sampleRate: 48_000 },
	},
	{ name: "Opus", codec: { name: "Opus", channels: 1 }, says: { kind: "audio", channels: 1, sampleRate: 48_000 } },
])("tells what a sample entry of $name says", ({ codec, says }) => {
	expect(sampleEntryOf(codec)).toMatchObject(says);
});

it("waits for parameter sets", () => {
	expect(sampleEntryOf({ name: "H264", sps: SPS, pps: null })).toBeNull();
	expect(sampleEntryOf({ name: "H265", vps: null, sps: null, pps: null })).toBeNull();
});

it.each<Codec>([
	{ name: "Generic" },
	{ name: "G711", law: "a", sampleRate: 8000, channels: 1 },
	{ name: "Opus", channels: 6 },
	{ name: "MPEG-4 Audio", config: bytesOfHex("f8e010") }, // object type 39, ELD
])("refuses $name that MP4 does not carry here", (codec) => {
	expect(() => sampleEntryOf(codec)).toThrow(expect.toSatisfy((error) => hasCode(error, "media.unsupported")));
});

it("refuses damaged parameter sets", () => {
	const codec: Codec = { name: "H264", sps: SPS.subarray(0, 6), pps: PPS };
	expect(() => sampleEntryOf(codec)).toThrow(expect.toSatisfy((error) => hasCode(error, "bytes.truncated")));
});

it("leaves the rate out where it does not fit the field", () => {
	const entry = sampleEntryOf({ name: "MPEG-4 Audio", config: bytesOfHex("1010") }); // 96 kHz
	const w = new ByteWriter();
	entry?.write(w);
	expect(entry).toMatchObject({ sampleRate: 96_000 });
	expect(Buffer.from(findBox(w.written, "mp4a").subarray(24, 28)).toString("hex")).toBe("00000000");
});
