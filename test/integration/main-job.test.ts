import path from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type ProbedPacket, probePackets, publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { Player } from "../support/player.ts";
import { Program, run } from "../support/program.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { watchWithVlc } from "../support/vlc.ts";

/** Where `part` stands in the source, which is played in a loop; -1 if it is not a piece of it. */
function placeInLoop(part: readonly ProbedPacket[], source: readonly ProbedPacket[]): number {
	for (let start = 0; start < source.length; start++) {
		if (part.every((packet, i) => packet.hash === source[(start + i) % source.length]?.hash)) return start;
	}
	return -1;
}

describe.each([
	{ publishing: "tcp", reading: "tcp" },
	{ publishing: "tcp", reading: "udp" },
	{ publishing: "udp", reading: "tcp" },
	{ publishing: "udp", reading: "udp" },
] as const)("an ffmpeg camera over $publishing, read by ffmpeg over $reading", ({ publishing, reading }) => {
	it("gets every access unit through, byte for byte", async () => {
		await using folder = await tempDir();
		await using sluice = await Sluice.start({ folder: folder.path });
		const film = await sample();
		await using camera = publish(film, sluice.rtsp("cam01"), { transport: publishing });
		const out = path.join(folder.path, "read.mkv");
		await eventually("the stream is there", async () => (await sluice.metric("paths")) > 0);
		await run("ffmpeg", [
			"-v",
			"error",
			"-y",
			"-rtsp_transport",
			reading,
			"-i",
			sluice.rtsp("cam01"),
			"-t",
			"5",
			"-c",
			"copy",
			out,
		]);
		expect(camera.running).toBe(true);
		for (const stream of ["v:0", "a:0"]) {
			const received = await probePackets(out, stream);
			const source = await probePackets(film, stream);
			expect(received.length).toBeGreaterThan(100);
			expect(placeInLoop(received, source), `${received.length} packets of ${stream}`).toBeGreaterThanOrEqual(0);
		}
	});
});

describe("a signed HLS URL", () => {
	it("plays in ffprobe, in VLC and in hls.js, and not with one character changed, expired or for another path", async () => {
		await using folder = await tempDir();
		await using sluice = await Sluice.start({ folder: folder.path });
		await using _camera = publish(await sample(), sluice.rtsp("cam01"));
		await using _other = publish(await sample(), sluice.rtsp("cam011"));
		const url = await sluice.watchUrl("cam01");
		await sluice.playlist(url, 3);

		const { streams } = JSON.parse(
			(await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", url])).toString(),
		) as {
			streams: { codec_name: string }[];
		};
		expect(streams.map((stream) => stream.codec_name).sort()).toEqual(["aac", "h264"]);
		const decoded = new Program("ffmpeg", [
			"-v",
			"error",
			"-i",
			url,
			"-t",
			"4",
			"-fps_mode",
			"passthrough",
			"-enc_time_base",
			"-1",
			"-f",
			"null",
			"-",
		]);
		await decoded.succeed();
		expect(decoded.errors).toBe("");

		const shown = watchWithVlc(url, folder.path);
		await shown.says(/(Received first picture|first picture)/i);
		await shown.stop();

		await using player = await Player.open();
		await player.play(url);
		const state = await eventually("hls.js plays four seconds", async () => {
			const now = await player.state();
			if (now.errors.length > 0) throw new Error(now.errors.join("\n"));
			return now.currentTime > 4 && now.frames > 60 ? now : false;
		});
		expect(state.errors).toEqual([]);
		expect(state.audioBytes).toBeGreaterThan(0);

		const token = new URL(url).pathname.split("/")[1] ?? "";
		for (const at of [0, 20, token.indexOf(".") + 5, token.length - 3]) {
			const wrong = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
			expect((await fetch(url.replace(token, wrong))).status, `character ${at} changed`).toBe(401);
		}
		const elsewhere = await fetch(url.replace("/cam01/", "/cam011/"));
		expect(elsewhere.status).toBe(403);
		expect(elsewhere.headers.get("content-type")).toContain("application/problem+json");
		const shortLived = await sluice.readToken("cam01", "100ms");
		await eventually(
			"the token expires",
			async () => (await fetch(`${sluice.url}/${shortLived}/cam01/index.m3u8`)).status === 401,
		);
	});
});
