/**
 * The settings of one path: what a `paths:` entry of a configuration file, a document in the bucket and the API share.
 * Names are MediaMTX's where it has the setting.
 */

import { z } from "zod";
import { durationMs, durationSchema } from "./duration.ts";

const durationBetween = (minMs: number, maxMs: number, words: string) =>
	durationSchema.refine((text) => durationMs(text) >= minMs && durationMs(text) <= maxMs, { message: words });

export const pathConfigSchema = z
	.strictObject({
		source: z
			.literal("publisher")
			.default("publisher")
			.describe("Where the stream comes from: a client that publishes"),
		maxReaders: z
			.int()
			.min(0)
			.max(1_000_000)
			.default(0)
			.describe("How many clients may read from the node at once; 0: no limit"),
		overridePublisher: z
			.boolean()
			.default(true)
			.describe(
				"A new publisher takes the place of the one that is there, on this node or another; otherwise it is refused",
			),
		publisherReconnectWindow: durationBetween(0, 3_600_000, "must be between 0s and 1h")
			.default("30s")
			.describe("How long a stream waits for a publisher that went away; readers and playlists stay meanwhile"),
		hls: z.boolean().default(true).describe("Package the stream as HLS into the bucket"),
		hlsSegmentDuration: durationBetween(500, 60_000, "must be between 500ms and 1m")
			.default("2s")
			.describe("Shortest duration of a segment; it ends at the next key frame"),
		hlsSegmentCount: z.int().min(3).max(10_000).default(8).describe("How many segments a live playlist lists"),
		hlsRetention: durationBetween(0, 366 * 86_400_000, "must be between 0s and 366d")
			.default("1m")
			.describe("How long segments stay in the bucket; those that a playlist lists always stay"),
		hlsDelivery: z
			.enum(["relative", "presigned"])
			.default("relative")
			.describe("Segment URLs: behind the viewer's token, or presigned straight to the bucket"),
	})
	.meta({ id: "PathConfig", description: "The settings of one path" });

export type PathConfig = z.infer<typeof pathConfigSchema>;
/** As a person writes it: every key may be left out. */
export type PathConfigInput = z.input<typeof pathConfigSchema>;

/** What one path says of its own: keys that it leaves out have the value of the defaults around it. */
export type PathOverrides = { readonly [K in keyof PathConfig]?: PathConfig[K] | undefined };

type OverridesShape = { [K in keyof PathConfig]: z.ZodOptional<z.ZodType<PathConfig[K], PathConfig[K]>> };

/** {@link pathConfigSchema} without its defaults. */
export const pathOverridesSchema = z
	.strictObject(
		Object.fromEntries(
			Object.entries(pathConfigSchema.shape).map(([key, schema]) => [
				key,
				schema
					.unwrap()
					.optional()
					.describe(schema.description ?? ""),
			]),
		) as unknown as OverridesShape,
	)
	.meta({ id: "PathOverrides", description: "The settings of one path that differ from the defaults" });

/** The settings of a path: what the later of `layers` say goes before what the earlier say. */
export function layeredPathConfig(defaults: PathConfig, ...layers: readonly PathOverrides[]): PathConfig {
	return Object.assign({}, defaults, ...layers.map(withoutUndefined));
}

function withoutUndefined(overrides: PathOverrides): PathOverrides {
	return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
}

export const DEFAULT_PATH_CONFIG: PathConfig = pathConfigSchema.parse({});
