/**
 * The settings of one path: what a `paths:` entry of a configuration file, a document in the bucket and the API share.
 * Names are MediaMTX's where it has the setting.
 */

import * as z from "zod";
import { forwardShape, generalShape, srtShape } from "./path/general.ts";
import { hlsShape } from "./path/hls.ts";
import { hooksShape, recordHooksShape } from "./path/hooks.ts";
import { recordShape } from "./path/record.ts";
import { rpiCameraShape } from "./path/rpi-camera.ts";
import { rtspShape } from "./path/rtsp-source.ts";
import { moqShape, whepShape } from "./path/whep-moq.ts";

export const pathConfigSchema = z
	.strictObject({
		...generalShape,
		...hlsShape,
		...rtspShape,
		...hooksShape,
		...forwardShape,
		...recordShape,
		...recordHooksShape,
		...srtShape,
		...whepShape,
		...moqShape,
		...rpiCameraShape,
	})
	.meta({ id: "PathConfig", description: "The settings of one path" });

export type PathConfig = z.infer<typeof pathConfigSchema>;

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
