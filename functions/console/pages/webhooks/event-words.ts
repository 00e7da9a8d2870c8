import type { StreamEventType } from "#shared/events/event-type.ts";

/** Every type of event that an endpoint can ask for, and when it is sent. */
export const EVENT_WORDS: Readonly<Record<StreamEventType, string>> = {
	"stream.online": "A stream begins",
	"stream.offline": "A stream ends",
	"stream.error": "Something goes wrong with a stream",
	"source.online": "A publisher or source brings the stream, also after a gap",
	"source.offline": "The publisher or source stopped; the stream waits for another",
	"reader.joined": "A client reads from the node (HLS is not counted)",
	"reader.left": "A client stops reading from the node",
	"demand.started": "Somebody wants a path that comes on demand",
	"demand.ended": "Nobody wants such a path any more",
};

export const EVENT_TYPES = Object.keys(EVENT_WORDS) as readonly StreamEventType[];
