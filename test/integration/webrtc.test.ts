import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { Program, run } from "../support/program.ts";
import { Sluice } from "../support/sluice.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";
import { WebRtcBrowser } from "../support/webrtc-browser.ts";

describe("WebRTC with Chromium", () => {
	const stack = new AsyncDisposableStack();
	let folder: TempDir;
	let sluice: Sluice;
	let browser: WebRtcBrowser;

	beforeAll(async () => {
		folder = stack.use(await tempDir());
		sluice = stack.use(await Sluice.start({ folder: folder.path }));
		browser = stack.use(await WebRtcBrowser.start());
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	it.each(["H264", "VP8", "VP9", "AV1"])(
		"publishes %s and Opus on one page, and plays them on another",
		async (codec) => {
			const name = codec.toLowerCase();
			const publisher = await browser.publish(sluice.webrtc(name), codec);
			await sluice.ready(name, 30_000);
			const viewer = await browser.play(sluice.webrtc(name));
			const video = await viewer.decoded(60);
			expect(video.codec).toBe(codec);
			expect((await viewer.heard(1)).codec).toBe("opus");
			await publisher.page.close();
			await viewer.page.close();
		},
	);

	it("gives what a browser publishes to ffmpeg by RTSP, and as signed HLS", async () => {
		const publisher = await browser.publish(sluice.webrtc("desk"), "H264");
		await sluice.ready("desk", 30_000);
		const read = ["-v", "error", "-rtsp_transport", "tcp", "-i", sluice.rtsp("desk")];
		const decoded = new Program("ffmpeg", [...read, "-t", "3", "-f", "null", "-"]);
		await decoded.succeed();
		const url = await sluice.watchUrl("desk");
		await sluice.playlist(url, 2);
		const probe = await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", url]);
		const { streams } = JSON.parse(probe.toString()) as { streams: { codec_name: string }[] };
		expect(streams.map((stream) => stream.codec_name).sort()).toEqual(["h264", "opus"]);
		await publisher.page.close();
	});

	it("plays an RTSP camera in the browser, and ends when the viewer leaves", async () => {
		const source = [
			"-re",
			"-f",
			"lavfi",
			"-i",
			"testsrc2=size=640x360:rate=30",
			"-f",
			"lavfi",
			"-i",
			"sine=frequency=440",
		];
		const video = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "60", "-pix_fmt", "yuv420p"];
		const output = ["-c:a", "libopus", "-rtsp_transport", "tcp", "-f", "rtsp", sluice.rtsp("yard")];
		await using _camera = new Program("ffmpeg", ["-v", "error", ...source, ...video, ...output]);
		await sluice.ready("yard");
		const viewer = await browser.play(sluice.webrtc("yard"));
		await viewer.decoded(90);
		await viewer.heard(2);
		expect(await sluice.metric("paths_readers", { name: "yard" })).toBe(1);
		await viewer.page.close();
		await eventually("the reader is gone", async () => {
			return (await sluice.metric("paths_readers", { name: "yard" })) === 0;
		});
	});
});
