import * as z from "zod";
import { durationBetween } from "../scalar.ts";

/** How the stream gets into the bucket. */
export const hlsShape = {
	hls: z.boolean().default(true).describe("Package the stream as HLS into the bucket"),
	hlsSegmentDuration: durationBetween("500ms", "1m")
		.default("2s")
		.describe("Shortest duration of a segment; it ends at the next key frame"),
	hlsSegmentCount: z.int().min(3).max(10_000).default(8).describe("How many segments a live playlist lists"),
	hlsRetention: durationBetween("0s", "366d")
		.default("1m")
		.describe("How long segments stay in the bucket; those that a playlist lists always stay"),
	hlsDelivery: z
		.enum(["relative", "presigned"])
		.default("relative")
		.describe("Segment URLs: behind the viewer's token, or presigned straight to the bucket"),
	hlsAudio: z
		.enum(["original", "aac"])
		.default("original")
		.describe("aac: sound in Opus is made into AAC for HLS, for players that take nothing else. Needs ffmpeg"),
} as const;
