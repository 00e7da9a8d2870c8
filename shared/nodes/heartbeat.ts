/**
 * Heartbeats: what a node says of itself every few seconds, signed with its own key. In the bucket it is a JSON Web
 * Signature in compact form, RFC 7515 §7.1, with ES256.
 */

import { CompactSign, compactVerify, errors, importJWK } from "jose";
import * as z from "zod";
import { jsonOrNull } from "#shared/json.ts";
import { DeniedError } from "#shared/problem.ts";
import { nodeIdSchema, regionSchema } from "./node-id.ts";
import type { NodeKey, NodePublicKey } from "./node-key.ts";

/** A node whose last heartbeat is older is dead. */
export const DEAD_AFTER_MS = 15_000;
/** A heartbeat has some 900 characters. */
export const MAX_HEARTBEAT_CHARS = 8 * 1024;

/** Tells it from a token, which the same kind of key could sign. */
const TYPE = "sluice-heartbeat+jws";
const ALGORITHM = "ES256";

const port = z.int().min(1).max(65_535).nullable();
const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

export const endpointsSchema = z
	.object({
		rtsp: port,
		rtsps: port,
		/** HTTP of WHIP and WHEP. */
		webrtc: port,
		webrtcEncryption: z.boolean().describe("WHIP and WHEP are served over HTTPS"),
		webrtcURL: z.url().max(2048).nullable().describe("The address of WHIP and WHEP when a proxy stands in front"),
		rtmp: port,
		srt: port,
	})
	.meta({ id: "NodeEndpoints", description: "Ports; null: the node does not serve that protocol" });
export type NodeEndpoints = z.infer<typeof endpointsSchema>;

export const loadSchema = z
	.object({
		cpu: z.number().min(0).max(1).describe("1: the machine, or the thread that moves packets, has no time left"),
		streams: amount,
		readers: amount,
		bytesInPerSecond: amount,
		bytesOutPerSecond: amount,
	})
	.meta({ id: "NodeLoad" });
export type NodeLoad = z.infer<typeof loadSchema>;

export const heartbeatSchema = z.object({
	v: z.literal(1),
	id: nodeIdSchema,
	/** Counts up from 1 with each heartbeat of a run. */
	sequence: z.int().min(1),
	/** By the node's clock, milliseconds since the Unix epoch. */
	writtenMs: z.int().min(0),
	startedMs: z.int().min(0),
	version: z.string().max(64),
	/** Empty: the node does not say. */
	region: regionSchema,
	state: z.enum(["active", "draining"]),
	/** A name or address; `null`: the machine of the functions that are asked. */
	host: z.string().min(1).max(253).nullable(),
	endpoints: endpointsSchema,
	load: loadSchema,
	/** SHA-256 of what it says of its live streams (`node-streams.ts`); `null`: it has none. */
	streams: z.base64url().length(43).nullable().default(null),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** Signs a heartbeat for the bucket. */
export async function signHeartbeat(heartbeat: Heartbeat, key: NodeKey): Promise<string> {
	return new CompactSign(new TextEncoder().encode(JSON.stringify(heartbeat)))
		.setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
		.sign(await importJWK(key, ALGORITHM));
}

/**
 * Reads the heartbeat of the node `id`, whose public key is known.
 * @throws DeniedError `access.token_invalid` when it is not signed by that node, or says nothing of use
 */
export async function verifyHeartbeat(text: string, id: string, key: NodePublicKey): Promise<Heartbeat> {
	if (text.length > MAX_HEARTBEAT_CHARS) throw forged(id, `it has more than ${MAX_HEARTBEAT_CHARS} characters`);
	const heartbeat = heartbeatSchema.safeParse(jsonOrNull(await payloadOf(text, id, key)));
	if (!heartbeat.success) throw forged(id, "it has not the form of a heartbeat");
	if (heartbeat.data.id !== id) throw forged(id, "it is of another node");
	return heartbeat.data;
}

async function payloadOf(text: string, id: string, key: NodePublicKey): Promise<string> {
	try {
		const { payload, protectedHeader } = await compactVerify(text, await importJWK(key, ALGORITHM), {
			algorithms: [ALGORITHM],
		});
		if (protectedHeader.typ !== TYPE) throw forged(id, "it was signed for something else");
		return new TextDecoder().decode(payload);
	} catch (error) {
		// jose says no with its own errors, and of what is no signature at all with a TypeError.
		if (!(error instanceof errors.JOSEError || error instanceof TypeError)) throw error;
		throw forged(id, "it is not signed with the key that the node registered", error);
	}
}

function forged(id: string, why: string, cause?: unknown): DeniedError {
	return new DeniedError(
		"access.token_invalid",
		`The heartbeat of node ${id} is not believed: ${why}. Let the node join again`,
		{ cause },
	);
}
