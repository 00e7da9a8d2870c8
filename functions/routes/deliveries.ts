import * as z from "zod";
import { GoneError } from "#shared/problem.ts";
import { DELIVERIES_DEAD_PREFIX, DELIVERIES_DONE_PREFIX, DELIVERIES_PENDING_PREFIX } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { type Delivery, deliverySchema, newDelivery, putPending } from "../webhooks/delivery.ts";

const PREFIXES = {
	pending: DELIVERIES_PENDING_PREFIX,
	done: DELIVERIES_DONE_PREFIX,
	dead: DELIVERIES_DEAD_PREFIX,
} as const;
const state = z.enum(["pending", "done", "dead"]);

const delivery = z
	.object({
		name: z.string().describe("Names it for a replay"),
		state,
		endpointId: z.string(),
		eventId: z.string(),
		eventType: z.string(),
		attempts: z.int(),
		nextAttemptAt: z.iso.datetime().nullable(),
		lastAttemptAt: z.iso.datetime().nullable(),
		lastOutcome: z.string().nullable().describe("An HTTP status, or why there was no answer"),
	})
	.meta({ id: "WebhookDelivery" });

const page = z.object({ items: z.array(delivery), next: z.string().nullable() }).meta({ id: "WebhookDeliveryPage" });

export const deliveryRoutes = [
	route({
		method: "GET",
		path: "/v1/deliveries",
		operationId: "listDeliveries",
		summary: "List deliveries of webhooks: those that wait, came through, or were given up",
		access: "api",
		query: z.object({
			state: state.default("dead"),
			cursor: z.string().max(300).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(50),
		}),
		responses: { 200: { description: "One page, oldest first", schema: page } },
		async handler({ deps, query }) {
			const prefix = PREFIXES[query.state];
			const startAfter = query.cursor === undefined ? {} : { startAfter: prefix + query.cursor };
			const { objects, next } = await deps.store.list(prefix, { limit: query.limit, ...startAfter });
			const items = await Promise.all(objects.map(({ key }) => read(deps, key)));
			const shownItems = items.flatMap((item, i) =>
				item === null ? [] : [shown(item, query.state, objects[i]?.key ?? "")],
			);
			return respondJson(200, { items: shownItems, next: next?.slice(prefix.length) ?? null });
		},
	}),
	route({
		method: "POST",
		path: "/v1/deliveries/{state}/{name}/replay",
		operationId: "replayDelivery",
		summary: "Deliver an event once more, with the same id",
		access: "api",
		params: z.object({ state: z.enum(["done", "dead"]), name: z.string().max(300) }),
		responses: { 202: { description: "It is on its way", schema: z.object({ deliveryId: z.string() }) } },
		async handler({ deps, params }) {
			const key = `${PREFIXES[params.state]}${params.name}.json`;
			const found = await read(deps, key);
			if (found === null) throw new GoneError("http.not_found", "There is no such delivery");
			const again = newDelivery(found.event, found.endpointId, deps.clock.now());
			await putPending(deps.store, again);
			if (params.state === "dead") await deps.store.delete([key]);
			return respondJson(202, { deliveryId: again.id });
		},
	}),
];

async function read({ store }: Deps, key: string): Promise<Delivery | null> {
	const object = await store.get(key);
	return object === null ? null : deliverySchema.parse(JSON.parse(await object.text()));
}

function shown(
	{ endpointId, event, attempts, dueMs, lastMs, lastOutcome }: Delivery,
	state: "pending" | "done" | "dead",
	key: string,
): z.infer<typeof delivery> {
	return {
		name: key.slice(PREFIXES[state].length, -".json".length),
		state,
		endpointId,
		eventId: event.id,
		eventType: event.type,
		attempts,
		nextAttemptAt: state === "pending" ? new Date(dueMs).toISOString() : null,
		lastAttemptAt: lastMs === null ? null : new Date(lastMs).toISOString(),
		lastOutcome,
	};
}
