/** The media node of the soak test, in a process of its own so that its heap, its descriptors and its CPU time are its own. */

import { setImmediate } from "node:timers/promises";
import { pino } from "pino";
import { systemClock } from "#shared/clock.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { parsePathName } from "#shared/path-name.ts";
import { openStore } from "#shared/store/open-store.ts";
import { openSecrets } from "../../media-node/config/secrets.ts";
import { MediaNode } from "../../media-node/media-node.ts";
import { cpuSeconds } from "../bench/child.ts";
import { Camera, H264_TRACK } from "../support/rtp-stream.ts";

/** The folder it keeps its data in, and the UDP ports it may use, are given to it. */
const [dataDir = "", rtpPort = "", rtcpPort = ""] = process.argv.slice(2);
const FRAME_MS = 20;
/** Every half second a key frame. */
const FRAMES_PER_KEY = 25;

/** What the node reports of itself, after everything that nobody needs any more was collected. */
export type SoakReport = {
	readonly heapBytes: number;
	/** Of buffers, which are not on the heap. */
	readonly externalBytes: number;
	readonly cpuSeconds: number;
	readonly sessions: number;
	readonly streams: number;
	/** Lines of the log that tell of a fault of ours. */
	readonly errors: readonly string[];
};

const errors: string[] = [];
const log = pino(
	{ level: "info" },
	{
		write(line: string) {
			if (/"level":[56]0/.test(line)) errors.push(line);
		},
	},
);

const settings = settingsSchema.parse({
	dataDir,
	functions: false,
	metrics: false,
	webrtc: false,
	rtspAddress: "127.0.0.1:0",
	rtpAddress: `127.0.0.1:${rtpPort}`,
	rtcpAddress: `127.0.0.1:${rtcpPort}`,
	rtspTransports: ["tcp", "udp"],
	authInternalUsers: [
		{
			user: "any",
			permissions: [
				{ action: "read", path: "live" },
				{ action: "publish", path: "~^(brief|patient)/" },
			],
		},
		{ user: "viewer", pass: "a-long-password", permissions: [{ action: "read", path: "private" }] },
	],
	pathDefaults: { hls: false },
	paths: {
		live: {},
		private: {},
		"~^brief/": { publisherReconnectWindow: "0s" },
		"~^patient/": { publisherReconnectWindow: "1s" },
	},
});
const { secrets } = await openSecrets(dataDir);
const store = await openStore({ kind: "folder", root: `${dataDir}/bucket` });
const stop = new AbortController();
const node = await MediaNode.open({ version: "soak", settings, secrets, store, clock: systemClock, log }, stop.signal);

const publication = await node.table.publish({
	path: parsePathName("live"),
	tracks: [H264_TRACK],
	publisher: { id: "soak", protocol: "soak", remoteAddress: "-" },
	onEvicted: (reason) => errors.push(reason.message),
});
const camera = new Camera(publication);
const slice = new Uint8Array(1000).fill(0x55);
slice.set([0x61, 0x88]);
let frames = 0;
setInterval(() => {
	const timestamp = (frames * FRAME_MS * 90) >>> 0;
	if (frames++ % FRAMES_PER_KEY === 0) camera.key(timestamp);
	else camera.video(timestamp, slice);
}, FRAME_MS);

async function report(): Promise<SoakReport> {
	const cpu = cpuSeconds();
	// What a collection lets finalizers run for is collected by the next one.
	for (let i = 0; i < 3; i++) {
		globalThis.gc?.();
		await setImmediate();
	}
	const { heapUsed, external } = process.memoryUsage();
	return {
		heapBytes: heapUsed,
		externalBytes: external,
		cpuSeconds: cpu,
		sessions: node.rtsp?.sessions().length ?? 0,
		streams: node.table.list().length,
		errors: errors.slice(0, 10),
	};
}

process.on("message", async () => process.send?.(await report()));
process.on("disconnect", () => process.exit());
process.send?.({ port: node.rtsp?.port });
