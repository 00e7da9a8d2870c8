import { mkdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { parsePathName } from "#shared/path-name.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { eventually } from "../test/support/eventually.ts";
import { FakeClock } from "../test/support/fake-clock.ts";
import { freePort } from "../test/support/free-port.ts";
import { Camera, H264_TRACK, recordingLogger } from "../test/support/rtp-stream.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { uploadedSegment } from "../test/support/timeline-builders.ts";
import { FINISH_AFTER_MS } from "./bucket/left-open.ts";
import { openSecrets } from "./config/secrets.ts";
import { MediaNode } from "./media-node.ts";

const CAM = parsePathName("cam");
const never = new AbortController().signal;

describe("a node that starts again after it was killed", () => {
	it("ends the playlist of a stream that nobody publishes any more", async () => {
		await using folder = await tempDir();
		const clock = new FakeClock();
		const store = new MemoryStore({ clock });
		const servers = { rtsp: false, webrtc: false, metrics: false, functions: false } as const;
		const settings = settingsSchema.parse({ ...servers, dataDir: folder.path, nodeId: "node-a", paths: { cam: null } });
		const writer = await TimelineWriter.open(
			{
				...{ store, clock, path: CAM, owner: "node-a", takeover: "respect", leaseMs: 10_000 },
				...{ segmentCount: 7, minimumTargetDuration: 2 },
			},
			never,
		);
		await writer.commitSegment(uploadedSegment(0), never);
		await mkdir(path.join(folder.path, "spool", "cam"), { recursive: true });

		const { secrets } = await openSecrets(folder.path);
		await using _node = await MediaNode.open(
			{ settings, secrets, store, clock, log: recordingLogger(), version: "0.0.0" },
			never,
		);
		await clock.advance(FINISH_AFTER_MS);
		await eventually("the playlist has ended", async () => {
			await clock.advance(10);
			return (await readNewest(store, CAM))?.kind === "end";
		});
		expect((await readNewest(store, CAM))?.window).toHaveLength(1);
	});
});

describe("a node whose source leads back to itself", () => {
	it("is not let in by the address of this machine, as the sources of others may be, but by what it shows", async () => {
		await using folder = await tempDir();
		const [rtsp, webrtc, ice] = [await freePort(), await freePort(), await freePort()];
		const settings = settingsSchema.parse({
			...{ dataDir: folder.path, metrics: false, functions: false, rtspTransports: ["tcp"] },
			...{
				rtspAddress: `127.0.0.1:${rtsp}`,
				webrtcAddress: `127.0.0.1:${webrtc}`,
				webrtcLocalUDPAddress: `127.0.0.1:${ice}`,
			},
			pathDefaults: { hls: false },
			authInternalUsers: [
				{ user: "any", ips: ["127.0.0.1", "::1"], permissions: [{ action: "publish" }, { action: "read" }] },
				{ user: "ana", pass: "a-long-password", permissions: [{ action: "read" }] },
			],
			paths: {
				cam: null,
				stolen: { source: `rtsp://127.0.0.1:${rtsp}/cam` },
				taken: { source: `whep://127.0.0.1:${webrtc}/cam/whep` },
				shown: { source: `rtsp://ana:a-long-password@127.0.0.1:${rtsp}/cam` },
			},
		});
		const { secrets } = await openSecrets(folder.path);
		const store = new MemoryStore();
		const log = recordingLogger();
		await using node = await MediaNode.open({ settings, secrets, store, clock: systemClock, log, version: "0" }, never);
		const publication = await node.table.publish({
			path: CAM,
			tracks: [H264_TRACK],
			publisher: { id: "cam", protocol: "test", remoteAddress: "" },
			onEvicted: () => undefined,
		});
		const camera = new Camera(publication);
		using _frames = systemClock.every(50, () => camera.key(systemClock.monotonic() * 90));
		const lines = () => log.lines.map((line) => JSON.stringify(line)).join("\n");
		const isReady = (name: string) => node.table.list().some((stream) => stream.name === name && stream.ready);
		await eventually("who shows a password gets it", () => isReady("shown"));
		await eventually("the others are refused", () => /stolen/.test(lines()) && /taken/.test(lines()));
		expect([isReady("stolen"), isReady("taken")]).toEqual([false, false]);
		expect(lines()).not.toContain("a-long-password");
	});
});
