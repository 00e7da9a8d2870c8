/**
 * The whole configuration of a media node. Keys that MediaMTX has keep its names and meaning; the rest is Sluice's. One
 * schema for files, the environment, the API and the documentation.
 */

import * as z from "zod";
import { authShape } from "./global/auth.ts";
import { debugShape, generalShape } from "./global/general.ts";
import { httpServerShape } from "./global/http-server.ts";
import { rtspShape } from "./global/rtsp.ts";
import {
	apiShape,
	hlsServerShape,
	moqShape,
	playbackShape,
	pprofShape,
	rtmpShape,
	srtShape,
	webrtcShape,
} from "./global/servers.ts";
import { sluiceShape } from "./global/sluice.ts";
import { srtShape as srtPathShape } from "./path/general.ts";
import { recordHooksShape } from "./path/hooks.ts";
import { recordShape } from "./path/record.ts";
import { rpiCameraShape } from "./path/rpi-camera.ts";
import { moqShape as moqPathShape } from "./path/whep-moq.ts";
import { DEFAULT_PATH_CONFIG, pathConfigSchema, pathOverridesSchema } from "./path-config.ts";
import { pathEntryNameFault } from "./path-pattern.ts";
import { listenAddress } from "./scalar.ts";

/** The key of `paths:` that stands for every path that has no entry of its own. */
export const ALL_OTHERS = "all_others";

const metricsShape = {
	metrics: z.boolean().default(true).describe("Serve Prometheus metrics at /metrics"),
	metricsAddress: listenAddress.default("127.0.0.1:9998").describe("Where the metrics listen"),
} as const;

const metricsServerShape = httpServerShape("metrics", "metrics");

const pathKey = z.string().superRefine((name, context) => {
	const fault = pathEntryNameFault(name);
	if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

/** What a path's own entry may say: every key may be left out, and then has the value of `pathDefaults`. */
const pathEntry = z.preprocess((value) => value ?? {}, pathOverridesSchema);

export const settingsSchema = z.strictObject({
	...generalShape,
	...sluiceShape,
	...authShape,
	...metricsShape,
	...rtspShape,
	...debugShape,
	...metricsServerShape,
	...apiShape,
	...pprofShape,
	...playbackShape,
	...rtmpShape,
	...hlsServerShape,
	...webrtcShape,
	...srtShape,
	...moqShape,
	pathDefaults: z
		.preprocess((value) => value ?? {}, pathConfigSchema)
		.default(DEFAULT_PATH_CONFIG)
		.describe("Settings of every path"),
	paths: z
		.preprocess((value) => value ?? {}, z.record(pathKey, pathEntry))
		.default({ [ALL_OTHERS]: {} })
		.describe(
			`Settings by path name. ~ begins a regular expression, whose groups are $G1, $G2, …; ${ALL_OTHERS} admits every other name`,
		),
});

export type Settings = z.infer<typeof settingsSchema>;

/** Settings that are accepted and have no effect yet, by the part that they belong to. */
export const NOT_BUILT: {
	readonly global: Readonly<Record<string, readonly string[]>>;
	readonly path: Readonly<Record<string, readonly string[]>>;
} = {
	global: {
		"logs and debugging": Object.keys(debugShape),
		profiles: Object.keys(pprofShape),
		playback: Object.keys(playbackShape),
		RTMP: Object.keys(rtmpShape),
		"MediaMTX's HLS server": Object.keys(hlsServerShape).filter((key) => key !== "hlsAlwaysRemux"),
		"gathering of WebRTC candidates and tracks": ["webrtcSTUNGatherTimeout", "webrtcTrackGatherTimeout"],
		SRT: Object.keys(srtShape),
		MoQ: Object.keys(moqShape),
	},
	path: {
		recording: [...Object.keys(recordShape), ...Object.keys(recordHooksShape)],
		SRT: Object.keys(srtPathShape),
		"gathering of WebRTC candidates": ["whepSTUNGatherTimeout"],
		MoQ: Object.keys(moqPathShape),
		"the Raspberry Pi camera": Object.keys(rpiCameraShape),
	},
};

/** What MediaMTX takes for granted where Sluice chooses otherwise: for files of MediaMTX. */
export const MEDIAMTX_DEFAULTS = {
	authInternalUsers: [
		{ user: "any", permissions: [{ action: "publish" }, { action: "read" }, { action: "playback" }] },
		{
			user: "any",
			ips: ["127.0.0.1", "::1"],
			permissions: [{ action: "api" }, { action: "metrics" }, { action: "pprof" }],
		},
	],
	metrics: false,
	metricsAddress: ":9998",
	hlsSegmentDuration: "1s",
	hlsSegmentCount: 7,
	paths: {},
} as const;
