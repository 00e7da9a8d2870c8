import { describe, expect, it } from "vitest";
import { Program } from "../../test/support/program.ts";
import { matroskaFrame, matroskaHeader } from "./matroska-writer.ts";

const PCM = { codecId: "A_PCM/INT/BIG", codecPrivate: null, sampleRate: 16_000, channels: 2, bitDepth: 16 };

/** What ffprobe reads of a file that begins with the header. */
async function probed(...frames: readonly Uint8Array[]) {
	const input = Buffer.concat([matroskaHeader(PCM), ...frames]);
	const args = ["-v", "error", "-show_streams", "-show_packets", "-show_data_hash", "crc32", "-of", "json", "-"];
	await using program = new Program("ffprobe", args, { input });
	return JSON.parse((await program.succeed()).toString()) as {
		streams: Record<string, unknown>[];
		packets: { pts_time: string; size: string; data_hash: string }[];
	};
}

describe("Matroska of one track", () => {
	it("is read by ffprobe, with every frame as it was and its time to the microsecond", async () => {
		const timesUs = [0, 1, 20_000, 3_600_000_000, 1_000_000_000_003];
		const sizes = [4, 112, 116, 120, 70_000];
		const frames = timesUs.map((time, i) => matroskaFrame(time, new Uint8Array(sizes[i] ?? 0).fill(i)));
		const { streams, packets } = await probed(...frames);
		expect(streams).toMatchObject([
			{ codec_name: "pcm_s16be", sample_rate: "16000", channels: 2, bits_per_sample: 16 },
		]);
		expect(packets.map(({ size }) => Number(size))).toEqual(sizes);
		expect(packets.map(({ pts_time }) => Math.round(Number(pts_time) * 1e6))).toEqual(timesUs);
	});

	it("writes a frame as a cluster of RFC 9559: its time, and one block at that time", () => {
		expect(Buffer.from(matroskaFrame(258, Uint8Array.of(0xaa))).toString("hex")).toBe(
			["1f43b675", "8b", "e7820102", "a385", "81000080", "aa"].join(""),
		);
	});
});
