import * as z from "zod";
import { STREAM_EVENT_TYPES } from "../../events/event-type.ts";
import { regionSchema } from "../../nodes/node-id.ts";
import { parseBucketLocation } from "../../store/bucket-location.ts";
import { durationBetween, listenAddress, listOf, size, text } from "../scalar.ts";

/** What MediaMTX does not have: this node's bucket, and the functions beside it. */
export const sluiceShape = {
	nodeId: z
		.string()
		.regex(/^[0-9A-Za-z_.-]{1,64}$/, "must be 1 to 64 letters, digits, _ . or -")
		.optional()
		.describe("This node's name in the bucket; made at the first start when left out"),
	dataDir: text
		.refine((value) => value !== "", { message: "must not be empty" })
		.default("./data")
		.describe("Keys, spool and event journal of this node"),
	bucket: z
		.string()
		.refine(isBucketLocation, {
			message: "must be file:FOLDER or s3://BUCKET/PREFIX?region=…&endpoint=…&pathStyle=true",
		})
		.default("file:./data/bucket")
		.describe("Where segments, timelines, configuration and events live"),
	spoolMaxSize: size
		.default("10G")
		.describe("How much is kept on disk while the bucket is away; then the oldest goes first"),
	functions: z.boolean().default(true).describe("Run the functions (tokens, playback, API, webhooks) in this process"),
	functionsAddress: listenAddress.default(":8888").describe("Where the functions listen"),
	publicURL: z
		.url()
		.optional()
		.describe("The address that viewers use, when it is not functionsAddress on this machine"),
	webhookEvents: listOf(z.enum(STREAM_EVENT_TYPES), STREAM_EVENT_TYPES.length)
		.default(["stream.online", "stream.offline", "stream.error"])
		.describe(
			`What this node tells webhooks of; each event is a few writes to the bucket. All there is: ${STREAM_EVENT_TYPES.join(", ")}`,
		),
	webhookAllowInsecure: z
		.boolean()
		.default(false)
		.describe("Webhooks may go to http:// and to private addresses: only for a network that you own"),
	nodeHeartbeat: durationBetween("0s", "10s")
		.optional()
		.describe(
			"How often this node tells the functions that it lives and how it fares, each time by a small write to the bucket; 0s: never, and no clients are sent here. Left out: 5s if the bucket is not a folder, or nodePublicHost is set; else 0s",
		),
	nodePublicHost: z
		.string()
		.regex(/^[0-9A-Za-z:._-]{0,253}$/, "must be a name or address, without a port")
		.default("")
		.describe(
			"Name or address under which clients reach this node. Empty: that of the functions beside it; without them, the first of webrtcAdditionalHosts or the address of a network interface",
		),
	nodePublicWebRTCURL: z
		.url({ protocol: /^https?$/ })
		.optional()
		.describe("Where clients reach WHIP and WHEP of this node, when a proxy stands in front"),
	nodeRegion: regionSchema
		.default("")
		.describe("Where this node is: clients that name the same region come here first"),
	acme: z
		.boolean()
		.default(false)
		.describe(
			"Get a certificate by ACME (Let's Encrypt) and keep it renewed; servers whose key and certificate are not set use it. Agrees to the terms of the authority. Port 80 of this machine must be reached from the internet",
		),
	acmeNames: listOf(z.string().regex(/^[0-9A-Za-z:._-]{1,253}$/, "must be a name or address"), 100)
		.default([])
		.describe("Names and addresses that the certificate is for. Empty: nodePublicHost"),
	acmeEmail: text.default("").describe("Where the authority may write to; empty: nowhere"),
	acmeDirectory: z
		.url({ protocol: /^https?$/ })
		.default("https://acme-v02.api.letsencrypt.org/directory")
		.describe("The authority's directory"),
	acmeAddress: listenAddress.default(":80").describe("Where the authority is answered, only while it asks"),
	ffmpegPath: text
		.refine((value) => value.trim() !== "", { message: "must not be empty" })
		.default("ffmpeg")
		.describe("The ffmpeg that audioTranscode runs: a name to be found in PATH, or a path"),
} as const;

function isBucketLocation(value: string): boolean {
	try {
		parseBucketLocation(value);
		return true;
	} catch {
		// The parser says no by throwing; the schema's own message says what is allowed.
		return false;
	}
}
