import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TsDemuxer } from "../../media-node/mpegts/demuxer.ts";
import { sample } from "../support/media.ts";
import { mutated } from "../support/mutate.ts";
import { run } from "../support/program.ts";
import { joined, TsWriter } from "../support/ts-writer.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

/** Short streams of every codec that is carried. */
async function streams(): Promise<Uint8Array[]> {
	const film = (video: string[] | null, audio: string[] | null) =>
		sample({ seconds: 1, rate: "5", size: "64x48", video, audio, extension: "ts" });
	const files = await Promise.all([
		film(["libx264", "-preset", "ultrafast"], ["aac", "-ac", "1"]),
		film(["mpeg2video"], ["mp2"]),
		film(["mpeg4"], ["ac3"]),
		film(null, ["libopus"]),
	]);
	const encoded = await Promise.all(files.map((file) => readFile(file)));
	const sound = ["-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "0.5", "-c:a", "aac"];
	const latm = await run("ffmpeg", ["-v", "error", ...sound, "-f", "mpegts", "-mpegts_flags", "+latm", "-"]);
	const writer = new TsWriter();
	const klva = [5, 4, 0x4b, 0x4c, 0x56, 0x41];
	const klv = joined([
		writer.tables(new Map([[0x100, [{ pid: 0x101, streamType: 0x15, descriptors: klva }]]])),
		writer.pes(0x101, 9_000, Uint8Array.of(0, 0, 0xdf, 0, 2, 1, 2), 0xfc),
		writer.pes(0x101, 2 ** 33 - 1, Uint8Array.of(0, 0, 0xdf, 0, 2, 1, 2), 0xfc),
	]);
	return [...encoded, latm, klv].map((bytes) => Uint8Array.from(bytes.subarray(0, 188 * 80)));
}

test("a transport stream, however damaged and cut, gives units of its tracks with times that are numbers, and no error", async () => {
	const seeds = await streams();
	let given = 0;
	fc.assert(
		fc.property(mutated(seeds, 12), fc.integer({ min: 1, max: 2_000 }), (bytes, chunkBytes) => {
			const demuxer = new TsDemuxer({
				rtpFormat: (codec, clockRate, index) => {
					expect(clockRate).toBeGreaterThan(0);
					return { payloadType: 96 + index, encoding: codec.name, fmtp: "" };
				},
			});
			const units = [];
			for (let at = 0; at < bytes.length; at += chunkBytes) {
				units.push(...demuxer.push(bytes.subarray(at, at + chunkBytes)));
			}
			units.push(...demuxer.end());
			for (const { trackIndex, pts, dts, frames } of units) {
				expect(demuxer.tracks?.[trackIndex]).toBeDefined();
				expect(Number.isSafeInteger(pts) && Number.isSafeInteger(dts)).toBe(true);
				expect(frames.length).toBeGreaterThan(0);
				expect(frames.every((frame) => frame.length > 0)).toBe(true);
			}
			given += units.length;
		}),
		{ seed, numRuns: 1_500 },
	);
	expect(given).toBeGreaterThan(1_500);
}, 60_000);
