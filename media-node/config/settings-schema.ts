/** The configuration file of a media node. Keys that MediaMTX has keep its names and meaning; the rest is Sluice's. */

import { z } from "zod";
import { durationMs, durationSchema } from "#shared/config/duration.ts";
import { DEFAULT_PATH_CONFIG, pathConfigSchema, pathOverridesSchema } from "#shared/config/path-config.ts";
import { isPathName } from "#shared/path-name.ts";
import { parseBucketLocation } from "#shared/store/bucket-location.ts";
import { userSchema } from "../access/user.ts";
import { parseAddress } from "./address.ts";

const address = z
	.string()
	.refine((text) => parseAddress(text) !== null, { message: "must be host:port, [ipv6]:port or :port" });

const timeout = durationSchema.refine((text) => durationMs(text) >= 100 && durationMs(text) <= 3_600_000, {
	message: "must be between 100ms and 1h",
});

/** The key of `paths:` that stands for every path that has no entry of its own. */
export const ALL_OTHERS = "all_others";

const pathKey = z.string().refine((name): boolean => name === ALL_OTHERS || isPathName(name), {
	message: `must be ${ALL_OTHERS} or a path name: letters, digits, _ - . and /, no slash at either end`,
});

/** What a path's own entry may say: every key may be left out, and then has the value of `pathDefaults`. */
const pathEntrySchema = z.preprocess((value) => value ?? {}, pathOverridesSchema);

export const settingsSchema = z.strictObject({
	logLevel: z
		.enum(["error", "warn", "info", "debug"])
		.default("info")
		.describe("The least important lines that are logged"),
	logStructured: z.boolean().default(false).describe("Log lines are JSON"),
	readTimeout: timeout.default("10s").describe("How long a publisher may be silent"),
	writeTimeout: timeout.default("10s").describe("How long a reader may take nothing"),

	nodeId: z
		.string()
		.regex(/^[0-9A-Za-z_.-]{1,64}$/, "must be 1 to 64 letters, digits, _ . or -")
		.optional()
		.describe("This node's name in the bucket; made at the first start when left out"),
	dataDir: z.string().min(1).default("./data").describe("Keys, spool and event journal of this node"),
	bucket: z
		.string()
		.refine(isBucketLocation, {
			message: "must be file:FOLDER or s3://BUCKET/PREFIX?region=…&endpoint=…&pathStyle=true",
		})
		.default("file:./data/bucket")
		.describe("Where segments, timelines, configuration and events live"),
	spoolMaxSize: z
		.string()
		.regex(/^\d+(K|M|G)$/, "must be a size such as 500M or 10G")
		.default("10G")
		.describe("How much is kept on disk while the bucket is away; then the oldest goes first"),

	functions: z.boolean().default(true).describe("Run the functions (tokens, playback, API, webhooks) in this process"),
	functionsAddress: address.default(":8888").describe("Where the functions listen"),
	publicURL: z
		.url()
		.optional()
		.describe("The address that viewers use, when it is not functionsAddress on this machine"),
	webhookAllowInsecure: z
		.boolean()
		.default(false)
		.describe("Webhooks may go to http:// and to private addresses: only for a network that you own"),

	rtsp: z.boolean().default(true).describe("Run the RTSP server"),
	rtspTransports: z
		.array(z.enum(["udp", "tcp"]))
		.min(1)
		.default(["udp", "tcp"])
		.describe("Transports that RTSP clients may choose"),
	rtspAddress: address.default(":8554").describe("Where the RTSP server listens (TCP)"),
	rtpAddress: address.default(":8000").describe("UDP address of RTP; its port is even"),
	rtcpAddress: address.default(":8001").describe("UDP address of RTCP; its port is one above RTP's"),

	metrics: z.boolean().default(true).describe("Serve Prometheus metrics at /metrics"),
	metricsAddress: address.default("127.0.0.1:9998").describe("Where the metrics listen"),

	authInternalUsers: z
		.array(userSchema)
		.default([
			{
				user: "any",
				pass: "",
				ips: ["127.0.0.1", "::1"],
				permissions: [
					{ action: "publish", path: "" },
					{ action: "read", path: "" },
				],
			},
		])
		.describe("Who may publish and read without a token"),
	authJWTJWKS: z.url().optional().describe("Where the public keys of tokens are, when the functions run elsewhere"),

	pathDefaults: z
		.preprocess((value) => value ?? {}, pathConfigSchema)
		.default(DEFAULT_PATH_CONFIG)
		.describe("Settings of every path"),
	paths: z
		.preprocess((value) => value ?? {}, z.record(pathKey, pathEntrySchema))
		.default({ [ALL_OTHERS]: {} })
		.describe(`Settings by path name; ${ALL_OTHERS} admits every other name`),
});

export type Settings = z.infer<typeof settingsSchema>;

function isBucketLocation(text: string): boolean {
	try {
		parseBucketLocation(text);
		return true;
	} catch {
		// The parser says no by throwing; the schema's own message says what is allowed.
		return false;
	}
}

const SIZE_BYTES: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes of a size such as `500M` that the schema has accepted. */
export function sizeBytes(text: string): number {
	const unit = SIZE_BYTES[text.slice(-1)];
	if (unit === undefined) throw new TypeError(`Cannot read size: current value is ${JSON.stringify(text)}`);
	return Number(text.slice(0, -1)) * unit;
}
