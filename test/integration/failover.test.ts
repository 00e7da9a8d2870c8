import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { Player } from "../support/player.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { everySegmentIsReadable } from "../support/watch.ts";

describe("kill -9 of the node in mid-stream", () => {
	it("leaves every committed segment readable, and an hls.js player goes on without reloading once the publisher is back", async () => {
		await using folder = await tempDir();
		// The functions live apart from the node that is killed, over the same bucket: as in the cloud.
		await using front = await Sluice.start({ folder: folder.path, config: "rtsp: false\nnodeId: front" });
		const nodeConfig = `nodeId: edge\nbucket: file:${folder.path}/data/bucket\ndataDir: ${folder.path}/edge\npathDefaults: { hlsRetention: 10m }`;
		await using nodeFolder = await tempDir();
		const node = await Sluice.start({ folder: nodeFolder.path, config: nodeConfig, nodeOnly: true });
		const film = await sample();
		const camera = publish(film, node.rtsp("cam01"));
		const url = await front.watchUrl("cam01");
		await front.playlist(url, 3);

		await using player = await Player.open();
		await player.play(url);
		await eventually("the player plays", async () => (await player.state()).currentTime > 3);
		const before = await everySegmentIsReadable(url);

		await node.kill();
		await camera.stop("SIGKILL");
		const killedAt = performance.now();
		expect(await everySegmentIsReadable(url)).toMatchObject({ last: expect.any(Number) });

		await using again = await Sluice.start({ folder: nodeFolder.path, config: nodeConfig, nodeOnly: true }, node.ports);
		await using _camera = publish(film, again.rtsp("cam01"));
		const after = await eventually(
			"new segments follow, after a discontinuity",
			async () => {
				const now = await everySegmentIsReadable(url);
				return now.last > before.last + 2 && now.discontinuities > 0 ? now : false;
			},
			{ timeoutMs: 40_000, everyMs: 500 },
		);
		const gapMs = performance.now() - killedAt;
		const reached = (await player.state()).currentTime;
		const state = await eventually(
			"the player goes on",
			async () => {
				const now = await player.state();
				return now.currentTime > reached + 4 ? now : false;
			},
			{ timeoutMs: 40_000 },
		);
		console.log(
			`failover: media sequence ${before.last} -> ${after.last}, new media listed ${(gapMs / 1000).toFixed(1)} s after kill -9, player at ${state.currentTime.toFixed(1)} s`,
		);

		expect(state.errors).toEqual([]);
		for (const sequences of [state.mediaSequences, state.discontinuitySequences]) {
			expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
		}
		expect(after.first).toBeGreaterThanOrEqual(before.first);
		for (const [file, hash] of before.hashes) {
			const media = await fetch(new URL(file, url));
			expect(media.status, file).toBe(200);
			expect(after.hashes.get(file) ?? hash, file).toBe(hash);
		}
	});
});
