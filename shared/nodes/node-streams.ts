/**
 * What a node says of its live streams: one object beside its heartbeat, which has the object's hash and so vouches for
 * it. It is written with a heartbeat, and only when it says something new.
 */

import { base64url } from "jose";
import * as z from "zod";
import { parsedJson } from "#shared/json.ts";
import { isPathName, type PathName } from "../path-name.ts";
import { renditionSchema } from "../timeline/record.ts";

/** A stream takes some 700 bytes: what is larger is not read. */
export const MAX_NODE_STREAMS_BYTES = 4 * 1024 * 1024;
/** Of one node. Those that are more are left out, oldest name last. */
export const MAX_NODE_STREAMS = 5_000;

const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

/** Stable: alerts and translations go by them. */
export const WARNING_CODES = [
	"gop_too_long",
	"b_frames",
	"upload_lag",
	"no_audio",
	"no_video",
	"packet_loss",
	"not_in_hls",
] as const;

export const streamWarningSchema = z
	.object({
		code: z.enum(WARNING_CODES),
		message: z.string().max(500).describe("What is wrong, and what to do"),
		since: z.iso.datetime(),
	})
	.meta({ id: "StreamWarning" });
export type StreamWarning = z.infer<typeof streamWarningSchema>;

export const nodeStreamSchema = z.object({
	path: z
		.string()
		.refine(isPathName)
		.transform((name) => name as PathName),
	since: z.iso.datetime(),
	/** Such as `rtsp`; empty while the stream waits for a publisher to come back. */
	source: z.object({ type: z.string().max(64) }),
	tracks: z.array(z.object({ kind: z.enum(["video", "audio", "data"]), codec: z.string().max(64) })).max(64),
	/** From its publisher. */
	bitsPerSecond: amount,
	readers: z.object({ rtsp: amount, webrtc: amount }),
	/** How old the oldest segment is that is not committed; 0 without HLS. */
	uploadLagMs: amount,
	/** `null` until two key frames came, and without video. */
	keyFrameIntervalMs: amount.nullable(),
	/** Of the publisher's packets, 0 to 1; `null` where the protocol does not tell. */
	packetLoss: z.number().min(0).max(1).nullable(),
	warnings: z.array(streamWarningSchema).max(WARNING_CODES.length),
	/** In the bucket; `null` without HLS, or before the first segment. */
	hls: z.object({ targetDuration: z.int().min(0), renditions: z.array(renditionSchema).max(64) }).nullable(),
});
export type NodeStream = z.infer<typeof nodeStreamSchema>;

export const nodeStreamsSchema = z.object({
	v: z.literal(1),
	id: z.string(),
	/** By name. */
	streams: z.array(nodeStreamSchema).max(MAX_NODE_STREAMS),
});
export type NodeStreams = z.infer<typeof nodeStreamsSchema>;

/** SHA-256 of the object, as the heartbeat has it. Base64url. */
export async function nodeStreamsHash(text: string): Promise<string> {
	return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** Reads the object. `null`: it is not what the node vouches for (yet), or says nothing of use. Never throws. */
export async function readNodeStreams(text: string, id: string, hash: string): Promise<NodeStreams | null> {
	if (text.length > MAX_NODE_STREAMS_BYTES || (await nodeStreamsHash(text)) !== hash) return null;
	const said = parsedJson(nodeStreamsSchema, text);
	return said?.id === id ? said : null;
}
