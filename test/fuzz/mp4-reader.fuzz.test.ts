import { readFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { Mp4File, type Mp4Unit } from "../../media-node/mp4/reader/mp4-file.ts";
import { sample } from "../support/media.ts";
import { mutated } from "../support/mutate.ts";
import { run } from "../support/program.ts";
import { tempDir } from "../support/temp-dir.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
/** No mutation of a few bytes makes the tables of so short a film tell of more samples than this. */
const MAX_UNITS = 20_000;

/** Short films of every codec, plain and in fragments. */
async function films(): Promise<Uint8Array[]> {
	const film = (video: string[] | null, audio: string[] | null, extension = "mp4") =>
		sample({ seconds: 1, rate: "5", size: "64x64", video, audio, extension });
	const x264 = await film(["libx264", "-preset", "ultrafast", "-bf", "2"], ["aac", "-ac", "1"]);
	const files = await Promise.all([
		film(["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"], ["ac3"]),
		film(["mpeg4"], ["libmp3lame"]),
		film(["libsvtav1", "-preset", "12"], ["libopus"]),
		film(null, ["pcm_s16le", "-ar", "8000"], "mov"),
	]);
	await using dir = await tempDir();
	const remuxed = async (name: string, flags: string) => {
		const to = path.join(dir.path, name);
		await run("ffmpeg", ["-v", "error", "-i", x264, "-c", "copy", "-movflags", flags, to]);
		return await readFile(to);
	};
	return [
		await remuxed("front.mp4", "+faststart"),
		await remuxed("fragmented.mp4", "+frag_keyframe+empty_moov+default_base_moof"),
		await remuxed("based.mp4", "+frag_keyframe+empty_moov"),
		...(await Promise.all(files.map((file) => readFile(file)))),
	].map((bytes) => Uint8Array.from(bytes));
}

async function unitsOf(bytes: Uint8Array): Promise<Mp4Unit[]> {
	const file = await Mp4File.open({
		size: bytes.length,
		read: async (offset, length) => {
			expect(offset).toBeGreaterThanOrEqual(0);
			expect(length).toBeLessThanOrEqual(bytes.length);
			return bytes.slice(offset, offset + length);
		},
	});
	const units: Mp4Unit[] = [];
	for await (const unit of file.units(file.tracks.map((_, index) => index))) {
		units.push(unit);
		if (units.length === MAX_UNITS) break;
	}
	return units;
}

/** Changes mostly what the boxes say, which is a small part of the file. */
function damaged(films: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
	const heads = films.map((film) => film.subarray(0, Buffer.from(film).indexOf("moov") < 100 ? 1_600 : 0));
	const tails = films.map((film, i) => film.subarray(heads[i]!.length));
	const index = fc.integer({ min: 0, max: films.length - 1 });
	const front = index.chain((i) =>
		mutated([heads[i]!], 4).map((head) => Uint8Array.from(Buffer.concat([head, tails[i]!]))),
	);
	return fc.oneof(front, mutated(films, 12));
}

test("an MP4 file, however damaged, gives samples that are whole, or an error that says so", async () => {
	const seeds = await films();
	for (const film of seeds) expect((await unitsOf(film)).length).toBeGreaterThan(4);
	let broken = 0;
	await fc.assert(
		fc.asyncProperty(damaged(seeds), async (bytes) => {
			try {
				for (const { frames, pts, dts } of await unitsOf(bytes)) {
					expect(frames.length).toBeGreaterThan(0);
					expect(Number.isFinite(pts) && Number.isFinite(dts)).toBe(true);
				}
			} catch (error) {
				broken++;
				expect(error).toBeInstanceOf(ProtocolError);
			}
		}),
		{ seed, numRuns: 1_500 },
	);
	expect(broken).toBeGreaterThan(100);
}, 60_000);
