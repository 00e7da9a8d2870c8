/** The outward facts: what webhooks carry. Types are dotted, as Standard Webhooks asks. */

import * as z from "zod";

const base = {
	/** Unique, the same over all deliveries and retries: the `webhook-id`. */
	id: z.string().regex(/^evt_[0-9A-Za-z]{8,64}$/),
	/** When it happened, ISO 8601 in UTC. */
	timestamp: z.iso.datetime(),
	/** Counts the events of one path from 0, without a gap. `null` until the bucket has given the number. */
	sequence: z.int().min(0).nullable(),
};

const stream = {
	path: z.string(),
	/** Unique for each time that a stream begins; the same in its `online`, `offline` and `error` events. */
	streamId: z.string(),
	node: z.string(),
};

export const streamOnlineSchema = z.object({
	...base,
	type: z.literal("stream.online"),
	data: z.object({
		...stream,
		protocol: z.string(),
		tracks: z.array(z.object({ kind: z.string(), codec: z.string() })),
		remoteAddress: z.string().optional(),
	}),
});

export const streamOfflineSchema = z.object({
	...base,
	type: z.literal("stream.offline"),
	data: z.object({ ...stream, reason: z.string(), durationMs: z.number().nonnegative() }),
});

export const streamErrorSchema = z.object({
	...base,
	type: z.literal("stream.error"),
	/** `code` is a problem code; `message` says what to do. */
	data: z.object({ ...stream, code: z.string(), message: z.string() }),
});

const publisher = { protocol: z.string(), remoteAddress: z.string() };

/** A publisher or source brings the stream: at its start, and again after each gap. */
export const sourceOnlineSchema = z.object({
	...base,
	type: z.literal("source.online"),
	data: z.object({ ...stream, ...publisher }),
});

/** It stopped; the stream waits for another one. */
export const sourceOfflineSchema = z.object({
	...base,
	type: z.literal("source.offline"),
	data: z.object({ ...stream, ...publisher, reason: z.string() }),
});

const reader = z.object({
	...stream,
	reader: z.object({ id: z.string(), type: z.string(), remoteAddress: z.string() }),
});

/** A client reads from the node. Viewers of HLS are none of these: they never ask it. */
export const readerJoinedSchema = z.object({ ...base, type: z.literal("reader.joined"), data: reader });
export const readerLeftSchema = z.object({ ...base, type: z.literal("reader.left"), data: reader });

const demand = z.object({ path: z.string(), node: z.string() });

/** Somebody wants to read a path whose stream comes on demand; and nobody does any more. */
export const demandStartedSchema = z.object({ ...base, type: z.literal("demand.started"), data: demand });
export const demandEndedSchema = z.object({ ...base, type: z.literal("demand.ended"), data: demand });

export const streamEventSchema = z
	.discriminatedUnion("type", [
		streamOnlineSchema,
		streamOfflineSchema,
		streamErrorSchema,
		sourceOnlineSchema,
		sourceOfflineSchema,
		readerJoinedSchema,
		readerLeftSchema,
		demandStartedSchema,
		demandEndedSchema,
	])
	.meta({ id: "StreamEvent", description: "A fact about a stream" });

export type StreamEvent = z.infer<typeof streamEventSchema>;
