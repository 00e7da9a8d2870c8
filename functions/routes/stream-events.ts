import * as z from "zod";
import { parsePathName } from "#shared/path-name.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { storeBehind } from "../audit/recording-store.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { StreamEvents, shownEventSchema } from "../stream-events.ts";

const page = z
	.object({ items: z.array(shownEventSchema), next: z.string().nullable() })
	.meta({ id: "StreamEventPage" });
export type StreamEventPage = z.infer<typeof page>;

/** What an instance remembers of events, for as long as it has the bucket's client. */
const known = new WeakMap<ObjectStore, StreamEvents>();

export const streamEventRoutes = [
	route({
		method: "GET",
		path: "/v1/streams/{path}/events",
		operationId: "listStreamEvents",
		summary: "List what happened to a stream",
		access: "view",
		scope: "path",
		params: z.object({ path: z.string() }),
		query: z.object({
			cursor: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(50),
		}),
		responses: { 200: { description: "One page, newest first", schema: page } },
		async handler({ deps, params, query: { cursor, limit } }) {
			const path = parsePathName(params.path);
			const { items, next } = await eventsOf(storeBehind(deps.store)).page(path, cursor ?? null, limit);
			return respondJson(200, { items, next: next === null ? null : String(next) });
		},
	}),
];

function eventsOf(store: ObjectStore): StreamEvents {
	const events = known.get(store) ?? new StreamEvents(store);
	known.set(store, events);
	return events;
}
