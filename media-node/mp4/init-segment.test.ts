import { expect, it } from "vitest";
import { findBox, readBoxes } from "../../test/support/fragment-reader.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { initSegment } from "./init-segment.ts";
import { sampleEntryOf } from "./sample-entry.ts";

const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");
const packed = (text: string) => text.replaceAll(/\s/g, "");

const SPS = bytesOfHex("6764000dacd94141fb0110000003001000000303c0f1429960");
const PPS = bytesOfHex("68ebe3cb22c0");
const ASC = bytesOfHex("1210");

function initOf(codec: Parameters<typeof sampleEntryOf>[0], timescale: number): Uint8Array {
	const entry = sampleEntryOf(codec);
	if (entry === null) throw new Error("The codec has no sample entry");
	return initSegment(entry, timescale);
}

function tree(data: Uint8Array, containers: readonly string[]): string {
	return readBoxes(data)
		.map(({ type, body }) => (containers.includes(type) ? `${type}(${tree(body, containers)})` : type))
		.join(" ");
}

it("writes the boxes of a CMAF header in their order", () => {
	const containers = ["moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex"];
	const shape = (header: string) =>
		`ftyp moov(mvhd trak(tkhd mdia(mdhd hdlr minf(${header} dinf(dref) stbl(stsd stts stsc stsz stco)))) mvex(trex))`;
	expect(tree(initOf({ name: "H264", sps: SPS, pps: PPS }, 90_000), containers)).toBe(shape("vmhd"));
	expect(tree(initOf({ name: "MPEG-4 Audio", config: ASC }, 44_100), containers)).toBe(shape("smhd"));
});

// Field by field from ISO 14496-12: §4.3, §8.2.2, §8.3.2, §8.4.2, §8.4.3, §12.1.2, §8.7.2, §8.5.2 and 12.1.3, §8.8.3.
it("writes each byte of a header of video", () => {
	const avcC = `0164000dffe10019${hex(SPS)}010006${hex(PPS)}fdf8f800`;
	const matrix = "00010000 00000000 00000000 00000000 00010000 00000000 00000000 00000000 40000000";
	const expected: Record<string, string> = {
		ftyp: "69736f36 00000000 69736f36 636d6663",
		"moov/mvhd": `00000000 00000000 00000000 000003e8 00000000 00010000 0100 ${"00".repeat(10)} ${matrix} ${"00".repeat(24)} 00000002`,
		"moov/trak/tkhd": `00000007 00000000 00000000 00000001 00000000 00000000 ${"00".repeat(8)} 0000 0000 0000 0000 ${matrix} 01400000 00f00000`,
		"moov/trak/mdia/mdhd": "00000000 00000000 00000000 00015f90 00000000 55c4 0000",
		"moov/trak/mdia/hdlr": `00000000 00000000 76696465 ${"00".repeat(12)} ${hex(Buffer.from("VideoHandler\0"))}`,
		"moov/trak/mdia/minf/vmhd": "00000001 0000 0000 0000 0000",
		"moov/trak/mdia/minf/dinf/dref": "00000000 00000001 0000000c 75726c20 00000001",
		"moov/trak/mdia/minf/stbl/stsd": `00000000 00000001 0000008c 61766331 000000000000 0001 ${"00".repeat(16)} 0140 00f0
			00480000 00480000 00000000 0001 ${"00".repeat(32)} 0018 ffff 00000036 61766343 ${avcC}`,
		"moov/trak/mdia/minf/stbl/stts": "00000000 00000000",
		"moov/trak/mdia/minf/stbl/stsc": "00000000 00000000",
		"moov/trak/mdia/minf/stbl/stsz": "00000000 00000000 00000000",
		"moov/trak/mdia/minf/stbl/stco": "00000000 00000000",
		"moov/mvex/trex": "00000000 00000001 00000001 00000000 00000000 01010000",
	};
	const init = initOf({ name: "H264", sps: SPS, pps: PPS }, 90_000);
	for (const [path, fields] of Object.entries(expected)) {
		expect(hex(findBox(init, path)), path).toBe(packed(fields));
	}
});

it("writes what is different in a header of audio", () => {
	const init = initOf({ name: "MPEG-4 Audio", config: ASC }, 44_100);
	const esds = "00000027 65736473 00000000 0319000000 04114015 000000 00000000 00000000 05021210 060102";
	const expected: Record<string, string> = {
		"moov/trak/mdia/hdlr": `00000000 00000000 736f756e ${"00".repeat(12)} ${hex(Buffer.from("SoundHandler\0"))}`,
		"moov/trak/mdia/minf/smhd": "00000000 0000 0000",
		"moov/trak/mdia/minf/stbl/stsd": `00000000 00000001 0000004b 6d703461 000000000000 0001 ${"00".repeat(8)} 0002 0010
			00000000 ac440000 ${esds}`,
		"moov/mvex/trex": "00000000 00000001 00000001 00000000 00000000 02000000",
	};
	for (const [path, fields] of Object.entries(expected)) {
		expect(hex(findBox(init, path)), path).toBe(packed(fields));
	}
	const tkhd = findBox(init, "moov/trak/tkhd");
	expect(hex(tkhd.subarray(36, 38))).toBe("0100");
	expect(hex(tkhd.subarray(-8))).toBe("0000000000000000");
});
