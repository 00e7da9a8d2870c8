/** The media node of the cycles test, in a process of its own so that its heap and its descriptors are its own. */

import { setImmediate } from "node:timers/promises";
import { pino } from "pino";
import { type Clock, systemClock } from "#shared/clock.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { parsePathName } from "#shared/path-name.ts";
import { openStore } from "#shared/store/open-store.ts";
import { openSecrets } from "../../media-node/config/secrets.ts";
import { MediaNode } from "../../media-node/media-node.ts";
import { Camera, H264_PPS, H264_SPS, nal } from "../support/rtp-stream.ts";

/** The folder it keeps its data in, and the ports it may use, are given to it. */
const [dataDir = "", udpPort = "", apiPort = ""] = process.argv.slice(2);
const FRAME_MS = 20;
/** Every tenth of a second a key frame: a short session wants one soon. */
const FRAMES_PER_KEY = 5;

/** `skipMs`: the clock is moved on, so that who is silent has been silent for so long. */
export type CyclesCommand = { readonly skipMs?: number };
/** What the node reports of itself, after everything that nobody needs any more was collected. */
export type CyclesReport = {
	readonly heapBytes: number;
	/** Of buffers, which are not on the heap. */
	readonly externalBytes: number;
	readonly streams: number;
	/** How often the log told so far of who came to publish, and to read. */
	readonly publishers: number;
	readonly readers: number;
	/** Lines of the log that tell of a fault of ours. */
	readonly errors: readonly string[];
};

const errors: string[] = [];
const came = { publisher: 0, reader: 0 };
const log = pino(
	{ level: "info" },
	{
		write(line: string) {
			if (/"level":[56]0/.test(line)) errors.push(line);
			if (line.includes("A WebRTC publisher came")) came.publisher++;
			if (line.includes("A WebRTC reader came")) came.reader++;
		},
	},
);

let skippedMs = 0;
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };

const settings = settingsSchema.parse({
	dataDir,
	functions: false,
	metrics: false,
	rtsp: false,
	api: true,
	apiAddress: `127.0.0.1:${apiPort}`,
	webrtc: true,
	webrtcAddress: "127.0.0.1:0",
	webrtcLocalUDPAddress: `127.0.0.1:${udpPort}`,
	webrtcIPsFromInterfaces: true,
	authInternalUsers: [
		{
			user: "any",
			permissions: [{ action: "read", path: "live" }, { action: "publish", path: "~^talk/" }, { action: "api" }],
		},
	],
	pathDefaults: { hls: false },
	paths: { live: {}, "~^talk/": { publisherReconnectWindow: "0s" } },
});
const { secrets } = await openSecrets(dataDir);
const store = await openStore({ kind: "folder", root: `${dataDir}/bucket` });
const stop = new AbortController();
const node = await MediaNode.open({ version: "cycles", settings, secrets, store, clock, log }, stop.signal);

const publication = await node.table.publish({
	path: parsePathName("live"),
	tracks: [
		{
			...{ index: 0, kind: "video", clockRate: 90_000, codec: { name: "H264", sps: H264_SPS, pps: H264_PPS } },
			rtp: { payloadType: 96, encoding: "H264/90000", fmtp: "packetization-mode=1" },
		},
	],
	publisher: { id: "cycles", protocol: "cycles", remoteAddress: "-" },
	onEvicted: (reason) => errors.push(reason.message),
});
const camera = new Camera(publication);
const slice = nal(1, 1000);
let frames = 0;
setInterval(() => {
	const timestamp = (frames * FRAME_MS * 90) >>> 0;
	if (frames++ % FRAMES_PER_KEY === 0) camera.key(timestamp);
	else camera.video(timestamp, slice);
}, FRAME_MS);

async function report(): Promise<CyclesReport> {
	// What a collection lets finalizers run for is collected by the next one.
	for (let i = 0; i < 3; i++) {
		globalThis.gc?.();
		await setImmediate();
	}
	const { heapUsed, external } = process.memoryUsage();
	return {
		heapBytes: heapUsed,
		externalBytes: external,
		streams: node.table.list().length,
		publishers: came.publisher,
		readers: came.reader,
		errors: errors.slice(0, 10),
	};
}

process.on("message", async ({ skipMs = 0 }: CyclesCommand) => {
	skippedMs += skipMs;
	process.send?.(await report());
});
process.on("disconnect", () => process.exit());
process.send?.({ port: node.webrtc?.port });
