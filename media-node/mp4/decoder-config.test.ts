import { expect, it } from "vitest";
import { findBox } from "../../test/support/fragment-reader.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { parseH264Sps } from "../codecs/h264.ts";
import { parseH265Sps } from "../codecs/h265.ts";
import { avcC, dOps, esds, hvcC } from "./decoder-config.ts";

const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");

function written(write: (w: ByteWriter) => void): Uint8Array {
	const w = new ByteWriter();
	write(w);
	return w.written.slice();
}

// ffmpeg -f lavfi -i testsrc2=size=320x240:rate=30 -c:v libx264 -bf 2; ffprobe -show_streams -show_data
const AVCC_SPS = "6764000dacd94141fb0110000003001000000303c0f1429960";
const AVCC_PPS = "68ebe3cb22c0";
const AVCC = `0164000dffe10019${AVCC_SPS}010006${AVCC_PPS}fdf8f800`;

it("writes the AVCDecoderConfigurationRecord that ffmpeg writes, with the fields of High profile", () => {
	const sps = bytesOfHex(AVCC_SPS);
	const pps = bytesOfHex(AVCC_PPS);
	expect(
		hex(
			findBox(
				written((w) => avcC(w, parseH264Sps(sps), sps, pps)),
				"avcC",
			),
		),
	).toBe(AVCC);
});

it("leaves chroma format and bit depths out for Baseline profile", () => {
	const sps = bytesOfHex("6742c00dd90141fb0110000003001000000303c0f142a480"); // x264 -profile:v baseline
	const pps = bytesOfHex("68cb83cb20");
	const box = findBox(
		written((w) => avcC(w, parseH264Sps(sps), sps, pps)),
		"avcC",
	);
	expect(hex(box)).toBe(`0142c00dffe10018${hex(sps)}010005${hex(pps)}`);
});

it("writes the HEVCDecoderConfigurationRecord of ISO 14496-15 §8.3.3.1 field by field", () => {
	// ffmpeg -f lavfi -i testsrc2=size=320x240:rate=30 -c:v libx265 -preset ultrafast
	const vps = bytesOfHex("40010c01ffff01600000030090000003000003003c959409");
	const sps = bytesOfHex("42010101600000030090000003000003003ca00a080f16595952930bc05a020000030002000003003c10");
	const pps = bytesOfHex("4401c073c189");
	const box = findBox(
		written((w) => hvcC(w, parseH265Sps(sps), vps, sps, pps)),
		"hvcC",
	);
	const length = (nal: Uint8Array) => nal.length.toString(16).padStart(4, "0");
	expect(hex(box)).toBe(
		[
			"01", // configurationVersion
			"01 60000000 900000000000 3c", // Main profile and its compatibility and constraint flags, level 2
			"f000 fc fd f8 f8", // no segmentation or parallelism told, 4:2:0, 8 bits, 8 bits
			"0000 0f", // no frame rate; one temporal layer, nested, lengths of 4 bytes
			"03",
			`a0 0001 ${length(vps)} ${hex(vps)}`,
			`a1 0001 ${length(sps)} ${hex(sps)}`,
			`a2 0001 ${length(pps)} ${hex(pps)}`,
		]
			.join("")
			.replaceAll(" ", ""),
	);
});

it("writes an AudioSpecificConfig into the descriptors of ISO 14496-1", () => {
	expect(hex(written((w) => esds(w, bytesOfHex("1210"))))).toBe(
		[
			"00000027 65736473 00000000", // box, version and flags
			"03 19 0000 00", // ES_Descriptor
			"04 11 40 15 000000 00000000 00000000", // DecoderConfigDescriptor: audio, ISO 14496-3
			"05 02 1210", // DecoderSpecificInfo
			"06 01 02", // SLConfigDescriptor
		]
			.join("")
			.replaceAll(" ", ""),
	);
});

it("writes the size of a long configuration in two bytes of seven bits", () => {
	const config = new Uint8Array(130).fill(0x11);
	const box = written((w) => esds(w, config));
	expect(hex(box)).toContain(`058102${hex(config)}0601 02`.replaceAll(" ", ""));
	expect(hex(box.subarray(0, 15))).toBe("000000aa 65736473 00000000 03811b".replaceAll(" ", ""));
});

it("writes the Opus Specific Box of one or two channels", () => {
	expect(hex(written((w) => dOps(w, 2, 48_000)))).toBe(
		"00000013 644f7073 00 02 0000 0000bb80 0000 00".replaceAll(" ", ""),
	);
});
