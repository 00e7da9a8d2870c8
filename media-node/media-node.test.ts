import { mkdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { settingsSchema } from "#shared/config/settings.ts";
import { parsePathName } from "#shared/path-name.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { eventually } from "../test/support/eventually.ts";
import { FakeClock } from "../test/support/fake-clock.ts";
import { recordingLogger } from "../test/support/rtp-stream.ts";
import { tempDir } from "../test/support/temp-dir.ts";
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
		const part = { file: "000000000001-000000000000-v0.m4s", init: "init.mp4", duration: 2, bytes: 1_000 };
		const rendition = { id: "v0", kind: "video", codecs: "avc1.64001f" } as const;
		const parts = [{ rendition, ...part }];
		await writer.commitSegment({ startMs: clock.now(), discontinuity: false, parts }, never);
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
