import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { eventually } from "../test/support/eventually.ts";
import { FakeClock, settle } from "../test/support/fake-clock.ts";
import { recordingLogger } from "../test/support/rtp-stream.ts";
import { plainVideo, videoTrack } from "../test/support/synthetic-units.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { LiveHls } from "./live-hls.ts";
import { PathConfigs } from "./paths/path-configs.ts";
import { PathTable } from "./paths/path-table.ts";
import type { Stream } from "./stream/stream.ts";
import { Transcoders } from "./transcode/transcoders.ts";

const CAM = parsePathName("cam");
const never = new AbortController().signal;
const configs = (overrides: PathOverrides) =>
	new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths: { cam: overrides } });

async function world(overrides: PathOverrides) {
	const folder = await tempDir();
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const problems: unknown[] = [];
	const hls = new LiveHls({
		store,
		clock,
		log: recordingLogger(),
		nodeId: "node",
		spoolRoot: folder.path,
		maxSpoolBytes: 2 ** 30,
		transcoders: new Transcoders({ clock, log: recordingLogger(), program: () => "ffmpeg" }),
		onFenced: (_, reason) => problems.push(reason),
		onProblem: (_, problem) => problems.push(problem),
		onLost: (_, loss) => problems.push(loss),
		onUploadSeconds: () => undefined,
		retentionMsOf: () => null,
	});
	const streams: Stream[] = [];
	const table = new PathTable({
		clock,
		log: recordingLogger(),
		configs: configs(overrides),
		onPublish: (name, config, signal) => hls.prepare(name, config, signal),
	});
	table.onStream({
		streamBegan: (stream) => {
			streams.push(stream);
			hls.begin(stream);
		},
		configChanged: (stream) => hls.reconfigure(stream),
		streamEnded: ({ path }) => hls.end(path),
	});
	const track = videoTrack();
	const publication = await table.publish({
		path: CAM,
		tracks: [track],
		publisher: { id: "p", protocol: "rtsp", remoteAddress: "" },
		onEvicted: () => undefined,
	});
	let seconds = 0;
	/** Seconds of video with a key frame each second, as fast as it goes. */
	const play = async (count: number) => {
		for (const { track: _, ...unit } of plainVideo(track, count, { fromMs: seconds * 1000 }))
			publication.writeUnit(0, unit);
		publication.flush();
		seconds += count;
		await settle();
		await clock.advance(100);
	};
	return {
		table,
		hls,
		problems,
		play,
		/** Lets time go on until something is so. */
		until: (what: string, isSo: () => boolean) =>
			eventually(what, async () => {
				await clock.advance(10);
				return isSo();
			}),
		/** So many segments are in the playlist, and it stays at that. */
		async committed(count: number) {
			const now = () => hls.metrics()[0]?.metrics.segmentsCommitted;
			await eventually(`${count} segments are committed`, async () => {
				await clock.advance(10);
				return now() === count;
			});
			await clock.advance(100);
			await settle();
			expect(now()).toBe(count);
		},
		async [Symbol.asyncDispose]() {
			table.close();
			await hls[Symbol.asyncDispose]();
			await folder[Symbol.asyncDispose]();
		},
	};
}

describe("the packaging of a stream whose settings change", () => {
	it("takes another segment duration from the next key frame on, and loses nothing", async () => {
		await using live = await world({ hlsSegmentDuration: "2s" });
		await live.play(5);
		await live.committed(2);
		live.table.apply(configs({ hlsSegmentDuration: "1s" }));
		await live.play(4);
		// The fifth second, which was begun, and three whole ones.
		await live.committed(2 + 1 + 3);
		expect(live.problems).toEqual([]);
	});

	it("goes on untouched when something else changes", async () => {
		await using live = await world({ hlsSegmentDuration: "2s" });
		await live.play(5);
		live.table.apply(configs({ hlsSegmentDuration: "2s", maxReaders: 3 }));
		await live.play(4);
		await live.committed(4);
	});

	it("ends when HLS is switched off, and the stream goes on", async () => {
		await using live = await world({});
		await live.play(5);
		live.table.apply(configs({ hls: false }));
		await live.play(1);
		await eventually("the uploader is closed", () => live.hls.uploaders().length === 0);
		expect(live.table.list()).toMatchObject([{ ready: true }]);
	});
});

describe("a stream that an earlier run left open", () => {
	it("is finished before who comes to publish meanwhile gets it, and then goes on", async () => {
		await using live = await world({});
		await live.play(5);
		await live.committed(2);
		live.table.close();
		await live.until("the uploader is closed", () => live.hls.uploaders().length === 0);
		const order: string[] = [];
		const finishing = live.hls.finish(CAM, DEFAULT_PATH_CONFIG, never).then(() => order.push("finished"));
		const preparing = live.hls.prepare(CAM, DEFAULT_PATH_CONFIG, never).then(() => order.push("prepared"));
		expect(live.hls.isLive(CAM)).toBe(true);
		await live.until("both are done", () => order.length === 2);
		await Promise.all([finishing, preparing]);
		expect(order).toEqual(["finished", "prepared"]);
		// Whom somebody publishes to is left alone.
		const [uploader] = live.hls.uploaders();
		const before = uploader?.newest?.n;
		await live.hls.finish(CAM, DEFAULT_PATH_CONFIG, never);
		expect([live.hls.uploaders()[0], uploader?.newest?.n]).toEqual([uploader, before]);
		expect(live.problems).toEqual([]);
	});
});
