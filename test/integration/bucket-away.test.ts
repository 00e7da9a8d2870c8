import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { sample } from "../support/media.ts";
import { run } from "../support/program.ts";
import { startS3Server } from "../support/s3-server.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { everySegmentIsReadable } from "../support/watch.ts";

describe("a bucket that is away when the node starts", () => {
	it("does not keep it from starting: it spools, says so, survives kill -9, and catches up in order without a gap", async () => {
		await using folder = await tempDir();
		const port = await freePort();
		const options = {
			folder: folder.path,
			config: `bucket: s3://segments?region=auto&endpoint=http://127.0.0.1:${port}/cdn-cgi/local/r2/s3&pathStyle=true\npathDefaults: { hlsSegmentDuration: 1s, hlsSegmentCount: 100, hlsDelivery: presigned }`,
			env: { AWS_ACCESS_KEY_ID: "test-access-key", AWS_SECRET_ACCESS_KEY: "test-secret-key" },
		};
		const film = await sample();
		const first = await Sluice.start(options);
		const camera = publish(film, first.rtsp("cam01"));
		await first.program.says("The bucket is away", 30_000);
		await eventually("segments wait on disk", async () => (await first.metric("sluice_spool_segments")) >= 4, {
			timeoutMs: 30_000,
		});
		await first.kill();
		await camera.stop("SIGKILL");

		await using second = await Sluice.start(options, first.ports);
		await using _camera = publish(film, second.rtsp("cam01"));
		await eventually(
			"segments of this run wait, too",
			async () => (await second.metric("sluice_spool_segments")) >= 6,
			{ timeoutMs: 30_000 },
		);
		const server = await startS3Server({ buckets: ["segments"], port });
		try {
			await eventually(
				"all is caught up",
				async () =>
					(await second.metric("sluice_segments_committed_total")) >= 8 &&
					(await second.metric("sluice_spool_segments")) === 0,
				{
					timeoutMs: 60_000,
				},
			);
			expect(await second.metric("sluice_segments_lost_total")).toBe(0);
			const url = await second.watchUrl("cam01");
			const watched = await everySegmentIsReadable(url);
			expect(watched.first).toBe(0);
			expect(watched.last).toBeGreaterThanOrEqual(7);
			// The one break is where the first process was killed.
			expect(watched.discontinuities).toBe(1);
			// Presigned: the media come straight from the bucket.
			for (const file of watched.hashes.keys())
				expect(file).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/.*X-Amz-Signature=`));
			await run("ffmpeg", ["-v", "error", "-i", url, "-t", "3", "-f", "null", "-"]);
		} finally {
			await second.stop();
			await server.close();
		}
	});
});
