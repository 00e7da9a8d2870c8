import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { Player } from "../support/player.ts";
import { run } from "../support/program.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { everySegmentIsReadable } from "../support/watch.ts";

const FRAMES_A_SECOND = 30;

type Recordings = { items: { start: string; end: string }[]; retention: number };

/** The media playlist of a range, and what it says. */
async function rangeOf(url: string, query: string) {
	const master = await fetch(`${url}?${query}`);
	const multivariant = await master.text();
	expect(master.status, multivariant).toBe(200);
	const media = multivariant.split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "";
	const response = await fetch(new URL(media, url));
	const text = await response.text();
	expect(response.status, text).toBe(200);
	const durations = [...text.matchAll(/#EXTINF:([\d.]+)/g)].map((match) => Number(match[1]));
	return {
		text,
		media,
		segments: durations.length,
		seconds: durations.reduce((sum, duration) => sum + duration, 0),
		discontinuities: text.split("#EXT-X-DISCONTINUITY\n").length - 1,
		first: Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]),
	};
}

async function probe(url: string): Promise<{ seconds: number; frames: number }> {
	const entries = "stream=nb_read_frames:format=duration";
	const args = ["-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", entries, "-of", "json", url];
	const { streams, format } = JSON.parse((await run("ffprobe", args, 60_000)).toString()) as {
		streams: { nb_read_frames: string }[];
		format: { duration: string };
	};
	return { seconds: Number(format.duration), frames: Number(streams[0]?.nb_read_frames) };
}

describe("what was recorded", () => {
	it("can be watched over publishers that come back and a node that dies, and nothing of it is missing", async () => {
		await using folder = await tempDir();
		await using front = await Sluice.start({ folder: folder.path, config: "rtsp: false\nnodeId: front" });
		const nodeConfig = `nodeId: edge\nbucket: file:${folder.path}/data/bucket\ndataDir: ${folder.path}/edge\npathDefaults: { hlsRetention: 1h, hlsSegmentDuration: 1s, hlsSegmentCount: 4 }`;
		await using nodeFolder = await tempDir();
		const node = await Sluice.start({ folder: nodeFolder.path, config: nodeConfig, nodeOnly: true });
		const film = await sample();
		const url = await front.watchUrl("cam01");
		const begins = new Date(Date.now() - 1000).toISOString();
		const recorded = (atLeast: number, discontinuities: number) =>
			eventually(
				`${atLeast} segments and ${discontinuities} discontinuities are recorded`,
				async () => {
					const range = await rangeOf(url, `start=${begins}`);
					return range.segments >= atLeast && range.discontinuities >= discontinuities ? range : false;
				},
				{ timeoutMs: 60_000, everyMs: 500 },
			);
		const recordings = async () =>
			(await (await front.api("GET", "/v1/streams/cam01/recordings")).json()) as Recordings;

		// The publisher is cut, and comes back after more than two target durations.
		const first = publish(film, node.rtsp("cam01"));
		await front.playlist(url, 3);
		await recorded(14, 0);
		await first.stop("SIGKILL");
		// The gap itself is what is looked at later.
		await new Promise((resolve) => setTimeout(resolve, 4_000));
		const second = publish(film, node.rtsp("cam01"));
		const before = await recorded(22, 1);
		expect((await recordings()).items.length).toBeGreaterThanOrEqual(2);

		// The node dies with segments that no index has, and another owner heals it.
		await node.kill();
		await second.stop("SIGKILL");
		await using again = await Sluice.start({ folder: nodeFolder.path, config: nodeConfig, nodeOnly: true }, node.ports);
		await using _third = publish(film, again.rtsp("cam01"));
		const all = await recorded(before.segments + 3, 2);
		expect(all.first).toBe(0);
		const index = await indexOf(path.join(folder.path, "data/bucket"));
		expect(index.nextSequence).toBeGreaterThanOrEqual(before.segments);
		expect(index.firstSequence).toBeLessThanOrEqual(before.segments);
		const readable = await everySegmentIsReadable(`${url}?start=${begins}`);
		expect(readable).toMatchObject({ first: 0, last: expect.any(Number) });

		// Ten seconds in the past: they have an end, and ffmpeg finds each of their frames.
		const { items, retention } = await recordings();
		expect(retention).toBe(3600);
		const startS = Date.parse(items[0]?.start ?? "") / 1000 + 2.5;
		const query = `start=${startS}&end=${startS + 10}`;
		const vod = await rangeOf(url, query);
		expect(vod.text).toContain("#EXT-X-PLAYLIST-TYPE:VOD\n");
		expect(vod.text.endsWith("#EXT-X-ENDLIST\n")).toBe(true);
		expect(vod.segments).toBeGreaterThanOrEqual(10);
		expect(vod.segments).toBeLessThanOrEqual(12);
		const { seconds, frames } = await probe(`${url}?${query}`);
		expect(Math.abs(seconds - vod.seconds)).toBeLessThan(0.2);
		expect(frames).toBe(Math.round(vod.seconds * FRAMES_A_SECOND));

		// A player watches the last minutes, goes back in them over both discontinuities, and loads only what is new.
		await using player = await Player.open();
		const skips: string[] = [];
		player.page.on("response", async (response) => {
			if (!response.url().includes("_HLS_skip=YES")) return;
			const body = await response.text().catch(() => "");
			if (body.includes("#EXT-X-SKIP:SKIPPED-SEGMENTS=")) skips.push(body);
		});
		await player.play(`${url}?start=-600`);
		await eventually("the player plays", async () => (await player.state()).frames > 30, { timeoutMs: 40_000 });
		await player.page.evaluate(() => {
			// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
			(globalThis as any).document.getElementById("video").currentTime = 8;
		});
		const state = await eventually(
			"the player plays what was",
			async () => {
				const now = await player.state();
				return now.currentTime > 12 && now.currentTime < 40 ? now : false;
			},
			{ timeoutMs: 40_000 },
		);
		await eventually("updates leave out what the player has", async () => skips.length >= 3, { timeoutMs: 30_000 });
		expect(skips.at(-1)).toContain("#EXT-X-VERSION:9\n");
		expect(skips.at(-1)?.split("#EXTINF").length).toBeLessThan(12);
		expect(state.errors).toEqual([]);
		const reached = (await player.state()).currentTime;
		await eventually("and goes on", async () => (await player.state()).currentTime > reached + 3, {
			timeoutMs: 30_000,
		});
		expect((await player.state()).errors).toEqual([]);
		console.log(
			`dvr: ${all.segments} segments, ${skips.length} delta updates, VOD of ${vod.seconds} s with ${frames} frames`,
		);
	}, 240_000);
});

/** The newest hour of the index, as it lies in the bucket. */
async function indexOf(bucket: string): Promise<{ firstSequence: number; nextSequence: number }> {
	const folder = path.join(bucket, "streams/cam01/index");
	const files = (await readdir(folder)).filter((file) => file.endsWith(".json")).sort();
	return JSON.parse(await readFile(path.join(folder, files.at(-1) ?? ""), "utf8")) as never;
}
