import { expect, it } from "vitest";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { type Fragment, writeFragmentHeader } from "./fragment.ts";

function written(fragment: Fragment): string {
	const w = new ByteWriter();
	writeFragmentHeader(w, fragment);
	return Buffer.from(w.written).toString("hex");
}
const packed = (...parts: string[]) => parts.join("").replaceAll(/\s/g, "");
const STYP = "00000018 73747970 636d6673 00000000 636d6673 6d736468";

// Field by field from ISO 14496-12 §8.16.2, §8.8.5, §8.8.7, §8.8.12, §8.8.8.
it("writes each byte before the samples of video, with signed composition offsets", () => {
	const samples = [
		{ dts: 100, pts: 400, size: 5, sync: true },
		{ dts: 130, pts: 120, size: 0x1234, sync: false },
	];
	expect(written({ kind: "video", sequence: 7, decodeTime: 0x1_0000_0002, samples, end: 190 })).toBe(
		packed(
			STYP,
			"00000078 6d6f6f66",
			"00000010 6d666864 00000000 00000007",
			"00000060 74726166",
			"00000010 74666864 00020000 00000001", // default-base-is-moof, track_ID
			"00000014 74666474 01000000 0000000100000002",
			"00000034 7472756e 01000f01 00000002 00000080", // sample_count, data_offset: moof and the header of mdat
			"0000001e 00000005 02000000 0000012c",
			"0000003c 00001234 01010000 fffffff6",
			"00001241 6d646174",
		),
	);
});

it("writes durations and sizes only for audio", () => {
	const samples = [
		{ dts: 0, pts: 0, size: 3, sync: true },
		{ dts: 1024, pts: 1024, size: 4, sync: true },
	];
	expect(written({ kind: "audio", sequence: 1, decodeTime: 48_000, samples, end: 2048 })).toBe(
		packed(
			STYP,
			"00000068 6d6f6f66",
			"00000010 6d666864 00000000 00000001",
			"00000050 74726166",
			"00000010 74666864 00020000 00000001",
			"00000014 74666474 01000000 000000000000bb80",
			"00000024 7472756e 01000301 00000002 00000070",
			"00000400 00000003 00000400 00000004",
			"0000000f 6d646174",
		),
	);
});
