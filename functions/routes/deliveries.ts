import * as z from "zod";
import { GoneError, InputError } from "#shared/problem.ts";
import type { DeliveryState } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { pathNameSchema } from "../tokens/token-request.ts";
import { type Delivery, readDelivery } from "../webhooks/delivery.ts";
import { type DeliverySummary, keyOfName, MAX_NAME_LENGTH, summaryOf } from "../webhooks/delivery-name.ts";
import { endpointIdSchema, readEndpoint } from "../webhooks/endpoint.ts";
import { type Found, findDeliveries } from "../webhooks/find-deliveries.ts";
import { replay } from "../webhooks/replay.ts";
import {
	fullDelivery,
	fullDeliverySchema,
	shownDelivery,
	shownDeliverySchema,
	stateSchema,
} from "../webhooks/shown-delivery.ts";

const name = z.string().max(MAX_NAME_LENGTH);
const page = z
	.object({ items: z.array(shownDeliverySchema), next: z.string().nullable() })
	.meta({ id: "WebhookDeliveryPage" });

export const replayedSchema = z
	.object({
		deliveryId: z.string(),
		endpointId: endpointIdSchema,
		eventId: z.string().describe("With the endpoint, it names the delivery in whatever state it is"),
	})
	.meta({ id: "WebhookDeliveryPlanned" });

export const deliveryRoutes = [
	route({
		method: "GET",
		path: "/v1/deliveries",
		operationId: "listDeliveries",
		summary: "List deliveries of webhooks: those that wait, came through, or were given up",
		access: "manage",
		query: z.object({
			state: stateSchema
				.default("dead")
				.describe("dead: those that were given up, as without it. Each state is a list of its own"),
			endpoint: endpointIdSchema.optional(),
			path: pathNameSchema.optional(),
			cursor: name.optional(),
			limit: z.coerce.number().int().min(1).max(100).default(50),
		}),
		responses: {
			200: {
				description:
					"One page: those that wait, the next one due first; the others, the newest first. With a filter, a page may be short, or empty, and not be the last one: that is the one whose `next` is null",
				schema: page,
			},
		},
		async handler({ deps, query: { state, endpoint, path, cursor = null, limit } }) {
			const isFiltered = endpoint !== undefined || path !== undefined;
			const wants = (summary: DeliverySummary) =>
				(endpoint === undefined || summary.endpointId === endpoint) && (path === undefined || summary.path === path);
			const result = await findDeliveries(deps.store, { state, wants: isFiltered ? wants : null, cursor, limit });
			if (result === null)
				throw new InputError("input.invalid", "The request is not valid: query.cursor: is not one of this list");
			return respondJson(200, { items: result.found.map(shownDelivery), next: result.next });
		},
	}),
	route({
		method: "GET",
		path: "/v1/deliveries/{state}/{name}",
		operationId: "getDelivery",
		summary: "Read a delivery: the event, and what came of each attempt",
		access: "manage",
		params: z.object({ state: stateSchema, name }),
		responses: { 200: { description: "The delivery", schema: fullDeliverySchema } },
		async handler({ deps, params: { state, name } }) {
			const { found, delivery } = await expectDelivery(deps.store, state, name);
			return respondJson(200, fullDelivery(found, delivery));
		},
	}),
	route({
		method: "POST",
		path: "/v1/deliveries/{state}/{name}/replay",
		operationId: "replayDelivery",
		summary: "Deliver an event once more, with the same id",
		access: "api",
		params: z.object({ state: z.enum(["done", "dead"]), name }),
		responses: { 202: { description: "It is on its way", schema: replayedSchema } },
		async handler({ deps, params: { state, name } }) {
			const { found, delivery } = await expectDelivery(deps.store, state, name);
			const { endpointId, event, id } = delivery;
			await expectEnabled(deps.store, endpointId);
			await replay(deps.store, delivery, deps.clock.now());
			deps.onDelivery?.();
			if (state === "dead") await deps.store.delete([found.key]);
			return respondJson(202, { deliveryId: id, endpointId, eventId: event.id }, followAt(endpointId, event.id));
		},
	}),
];

/** Where a delivery can be followed, whatever becomes of it. */
export function followAt(endpointId: string, eventId: string): { location: string } {
	return { location: `/v1/webhooks/${endpointId}/deliveries/${eventId}` };
}

/** What is delivered to an endpoint that is disabled is given up at once. @throws GoneError, InputError */
export async function expectEnabled(store: ObjectStore, id: string): Promise<void> {
	const stored = await readEndpoint(store, id);
	if (stored === null) throw new GoneError("http.not_found", "The endpoint of this delivery was deleted");
	if (stored.endpoint.disabled !== null)
		throw new InputError("input.invalid", "The endpoint is disabled: nothing is delivered to it. Enable it first");
}

/** @throws GoneError */
async function expectDelivery(
	store: ObjectStore,
	state: DeliveryState,
	name: string,
): Promise<{ found: Found; delivery: Delivery }> {
	const key = keyOfName(state, name);
	const summary = key === null ? null : summaryOf(state, key);
	const delivery = key === null ? null : await readDelivery(store, key);
	if (key !== null && summary !== null && delivery !== null && delivery !== "damaged")
		return { found: { key, summary }, delivery };
	throw new GoneError("http.not_found", `There is no such ${state} delivery; it may have moved on`);
}
