import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { Program, run } from "../support/program.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

const CAMERA_SOUND: readonly [string, readonly string[]][] = [
	["PCMU", ["-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"]],
	["L16", ["-c:a", "pcm_s16be", "-ar", "44100", "-ac", "2"]],
];

/** A camera with a picture and a loud tone. */
function camera(url: string, sound: readonly string[]): Program {
	return new Program("ffmpeg", [
		...["-v", "warning", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"],
		...["-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=44100,volume=4"],
		...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-pix_fmt", "yuv420p"],
		...sound,
		...["-f", "rtsp", "-rtsp_transport", "tcp", url],
	]);
}

describe("sound of a camera whose codec HLS does not carry", () => {
	const stack = new AsyncDisposableStack();
	let sluice: Sluice;

	beforeAll(async () => {
		const folder = stack.use(await tempDir());
		const config = "pathDefaults:\n  hlsSegmentDuration: 1s\npaths:\n  all_others:\n  silent:\n    audioTranscode: no";
		sluice = stack.use(await Sluice.start({ folder: folder.path, config }));
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	it.each(CAMERA_SOUND)(
		"is AAC in its signed HLS, as loud as it was, and in step with the picture: %s",
		async (name, sound) => {
			const url = await sluice.watchUrl(name);
			{
				await using _camera = camera(sluice.rtsp(name), sound);
				await sluice.playlist(url, 4);
				const { streams } = JSON.parse(
					(await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", url])).toString(),
				) as { streams: Record<string, string | number>[] };
				expect(streams.map((stream) => [stream["codec_type"], stream["codec_name"]]).sort()).toEqual([
					["audio", "aac"],
					["video", "h264"],
				]);
				const starts = streams.map((stream) => Number(stream["start_time"]));
				expect(Math.abs((starts[0] ?? 0) - (starts[1] ?? 0))).toBeLessThan(0.15);

				const listened = new Program("ffmpeg", [
					...[
						"-hide_banner",
						"-nostats",
						"-i",
						url,
						"-t",
						"3",
						"-map",
						"0:a",
						"-af",
						"volumedetect",
						"-f",
						"null",
						"-",
					],
				]);
				await listened.succeed(30_000);
				const [, level = "-91"] = /mean_volume: (-?[\d.]+) dB/.exec(listened.errors) ?? [];
				expect(Number(level)).toBeGreaterThan(-20);

				expect(await sluice.metric("transcodes", { path: name, to: "AAC" })).toBe(1);
				expect(await sluice.metric("transcodes_packets_out", { path: name })).toBeGreaterThan(100);
				expect(await sluice.metric("transcodes_dropped", { path: name })).toBe(0);
				expect(await sluice.metric("transcodes_restarts", { path: name })).toBe(0);
				expect(await children(sluice)).toBe(1);
			}
			await eventually("the program of a camera that left to end", async () => (await children(sluice)) === 0);
		},
	);

	it("is left out where the path wants nothing transcoded", async () => {
		const url = await sluice.watchUrl("silent");
		await using _camera = camera(sluice.rtsp("silent"), CAMERA_SOUND[0]?.[1] ?? []);
		await sluice.playlist(url, 2);
		expect((await streamsOf(url)).map((stream) => stream["codec_type"])).toEqual(["video"]);
		expect(await sluice.metric("transcodes", { path: "silent" })).toBe(0);
		expect(await children(sluice)).toBe(0);
	});
});

async function streamsOf(url: string): Promise<readonly Readonly<Record<string, string | number>>[]> {
	const probed = await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", url]);
	return (JSON.parse(probed.toString()) as { streams: Record<string, string | number>[] }).streams;
}

/** How many programs a node runs. */
async function children(sluice: Sluice): Promise<number> {
	const listed = new Program("pgrep", ["-c", "-P", String(sluice.program.child.pid), "ffmpeg"]);
	await listed.exited;
	return Number(listed.output.toString());
}
