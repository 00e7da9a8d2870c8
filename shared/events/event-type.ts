/** Every type of event of a stream, apart from their schemas: for whoever needs no more than the names. */
export const STREAM_EVENT_TYPES = [
	"stream.online",
	"stream.offline",
	"stream.error",
	"source.online",
	"source.offline",
	"reader.joined",
	"reader.left",
	"demand.started",
	"demand.ended",
] as const;
export type StreamEventType = (typeof STREAM_EVENT_TYPES)[number];
