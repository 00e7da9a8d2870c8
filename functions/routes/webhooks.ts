import * as z from "zod";
import { STREAM_EVENT_TYPES } from "#shared/events/event.ts";
import { generateWebhookSecret } from "#shared/events/standard-webhooks.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { webhookKey } from "#shared/store/key.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { newDelivery, putPending } from "../webhooks/delivery.ts";
import {
	activeSecrets,
	type Endpoint,
	endpointIdSchema,
	listEndpoints,
	MAX_ENDPOINTS,
	ROTATION_MS,
	readEndpoint,
	updateEndpoint,
} from "../webhooks/endpoint.ts";
import { assertWebhookUrl } from "../webhooks/url-guard.ts";

const eventTypes = z.array(z.enum(STREAM_EVENT_TYPES)).describe("Which events; empty for all");
const text = z.string().max(500);

const webhookInput = z
	.strictObject({ url: z.string(), description: text.default(""), events: eventTypes.default([]) })
	.meta({ id: "WebhookInput" });

const webhookPatch = z
	.strictObject({
		url: z.string().optional(),
		description: text.optional(),
		events: eventTypes.optional(),
		disabled: z.literal(false).optional().describe("Enables an endpoint that was disabled"),
	})
	.meta({ id: "WebhookPatch" });

const webhook = z
	.object({
		id: endpointIdSchema,
		url: z.string(),
		description: z.string(),
		events: eventTypes,
		disabled: z.object({ reason: z.string(), since: z.iso.datetime() }).nullable(),
		createdAt: z.iso.datetime(),
		secrets: z.int().describe("How many secrets sign now: two for a day after a rotation"),
	})
	.meta({ id: "Webhook" });

const webhookWithSecret = webhook
	.extend({ secret: z.string().describe("Shown this once. Verify the signature of every request with it") })
	.meta({ id: "WebhookWithSecret" });

const params = z.object({ id: endpointIdSchema });

export const webhookRoutes = [
	route({
		method: "GET",
		path: "/v1/webhooks",
		operationId: "listWebhooks",
		summary: "List the endpoints",
		access: "api",
		responses: { 200: { description: "All of them", schema: z.object({ items: z.array(webhook) }) } },
		async handler({ deps }) {
			const endpoints = await listEndpoints(deps.store);
			return respondJson(200, { items: endpoints.map((endpoint) => shown(endpoint, deps.clock.now())) });
		},
	}),
	route({
		method: "POST",
		path: "/v1/webhooks",
		operationId: "createWebhook",
		summary: "Add an endpoint",
		access: "api",
		body: webhookInput,
		responses: { 201: { description: "The endpoint and its secret", schema: webhookWithSecret } },
		async handler({ deps, body }) {
			const { store, clock, settings } = deps;
			assertWebhookUrl(body.url, settings.webhookAllowInsecure);
			if ((await listEndpoints(store)).length >= MAX_ENDPOINTS) {
				throw new InputError("input.invalid", `There are ${MAX_ENDPOINTS} endpoints already; delete one first`);
			}
			const secret = generateWebhookSecret();
			const id = `wh_${crypto.randomUUID().replaceAll("-", "")}`;
			const endpoint: Endpoint = {
				...body,
				id,
				secrets: [{ secret, expiresMs: null }],
				disabled: null,
				createdMs: clock.now(),
			};
			await store.putIfAbsent(webhookKey(id), JSON.stringify(endpoint), { contentType: "application/json" });
			return respondJson(201, { ...shown(endpoint, clock.now()), secret }, { location: `/v1/webhooks/${id}` });
		},
	}),
	route({
		method: "GET",
		path: "/v1/webhooks/{id}",
		operationId: "getWebhook",
		summary: "Read an endpoint",
		access: "api",
		params,
		responses: { 200: { description: "The endpoint", schema: webhook } },
		async handler({ deps, params: { id } }) {
			return respondJson(200, shown(expect((await readEndpoint(deps.store, id))?.endpoint), deps.clock.now()));
		},
	}),
	route({
		method: "PATCH",
		path: "/v1/webhooks/{id}",
		operationId: "patchWebhook",
		summary: "Change an endpoint",
		access: "api",
		params,
		body: webhookPatch,
		bodyTypes: ["application/merge-patch+json"],
		responses: { 200: { description: "Changed", schema: webhook } },
		async handler({ deps, params: { id }, body: { url, description, events, disabled } }) {
			if (url !== undefined) assertWebhookUrl(url, deps.settings.webhookAllowInsecure);
			const changed = await updateEndpoint(deps.store, id, (endpoint) => ({
				...endpoint,
				url: url ?? endpoint.url,
				description: description ?? endpoint.description,
				events: events ?? endpoint.events,
				disabled: disabled === false ? null : endpoint.disabled,
			}));
			return respondJson(200, shown(expect(changed), deps.clock.now()));
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/webhooks/{id}",
		operationId: "deleteWebhook",
		summary: "Delete an endpoint; what waits for it is given up",
		access: "api",
		params,
		responses: { 204: { description: "It is gone" } },
		async handler({ deps, params: { id } }) {
			expect(await readEndpoint(deps.store, id));
			await deps.store.delete([webhookKey(id)]);
			return respondEmpty(204);
		},
	}),
	route({
		method: "POST",
		path: "/v1/webhooks/{id}/rotate",
		operationId: "rotateWebhookSecret",
		summary: "Make a new secret. The old one signs as well for a day",
		access: "api",
		params,
		responses: { 200: { description: "The endpoint and its new secret", schema: webhookWithSecret } },
		async handler({ deps, params: { id } }) {
			const nowMs = deps.clock.now();
			const secret = generateWebhookSecret();
			const changed = await updateEndpoint(deps.store, id, (endpoint) => ({
				...endpoint,
				secrets: [
					{ secret, expiresMs: null },
					...endpoint.secrets
						.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs)
						.map((old) => ({
							...old,
							expiresMs: Math.min(old.expiresMs ?? Number.POSITIVE_INFINITY, nowMs + ROTATION_MS),
						})),
				].slice(0, 4),
			}));
			return respondJson(200, { ...shown(expect(changed), nowMs), secret });
		},
	}),
	route({
		method: "POST",
		path: "/v1/webhooks/{id}/test",
		operationId: "testWebhook",
		summary: "Send an event of type webhook.test",
		access: "api",
		params,
		responses: {
			202: {
				description: "It is on its way; the deliveries tell what came of it",
				schema: z.object({ deliveryId: z.string() }),
			},
		},
		async handler({ deps, params: { id } }) {
			expect(await readEndpoint(deps.store, id));
			const nowMs = deps.clock.now();
			const event = {
				id: `evt_${crypto.randomUUID().replaceAll("-", "")}`,
				type: "webhook.test",
				timestamp: new Date(nowMs).toISOString(),
				data: {},
			};
			const delivery = newDelivery(event, id, nowMs);
			await putPending(deps.store, delivery);
			return respondJson(202, { deliveryId: delivery.id });
		},
	}),
];

/** Without its secrets. */
function shown(endpoint: Endpoint, nowMs: number): z.infer<typeof webhook> {
	const { id, url, description, events, disabled, createdMs } = endpoint;
	return {
		id,
		url,
		description,
		events,
		disabled: disabled === null ? null : { reason: disabled.reason, since: new Date(disabled.sinceMs).toISOString() },
		createdAt: new Date(createdMs).toISOString(),
		secrets: activeSecrets(endpoint, nowMs).length,
	};
}

function expect<T>(found: T | null | undefined): T {
	if (found != null) return found;
	throw new GoneError("http.not_found", "There is no such webhook endpoint");
}
