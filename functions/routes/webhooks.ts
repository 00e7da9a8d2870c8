/** Webhook endpoints. Who may see the configuration of every path may see them; administrators change them. */

import * as z from "zod";
import { pathPatternSchema } from "#shared/access/permission.ts";
import { STREAM_EVENT_TYPES } from "#shared/events/event-type.ts";
import { generateWebhookSecret } from "#shared/events/standard-webhooks.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { webhookKey } from "#shared/store/key.ts";
import type { Change } from "../audit/change.ts";
import { etagOf, quoted } from "../etag.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { newDelivery, putDelivery, readDelivery } from "../webhooks/delivery.ts";
import {
	activeSecrets,
	type Endpoint,
	endpointIdSchema,
	expectEtag,
	listEndpoints,
	listStoredEndpoints,
	MAX_ENDPOINTS,
	ROTATION_MS,
	readEndpoint,
	type StoredEndpoint,
	updateEndpoint,
} from "../webhooks/endpoint.ts";
import { findDelivery } from "../webhooks/find-deliveries.ts";
import { MAX_REPLAYED, replayDead } from "../webhooks/replay.ts";
import { fullDelivery, fullDeliverySchema } from "../webhooks/shown-delivery.ts";
import { assertWebhookUrl } from "../webhooks/url-guard.ts";
import { expectEnabled, followAt, replayedSchema } from "./deliveries.ts";

const MAX_PATTERNS = 50;
/** More than three rotations within a day, and the oldest secret signs no more. */
const MAX_SECRETS = 4;
const eventTypes = z.array(z.enum(STREAM_EVENT_TYPES)).describe("Which events; empty for all");
const paths = z
	.array(pathPatternSchema)
	.max(MAX_PATTERNS)
	.describe("Of which paths: names, or ~ and a regular expression; empty for all");
const text = z.string().max(500);

const webhookInput = z
	.strictObject({
		url: z.string(),
		description: text.default(""),
		events: eventTypes.default([]),
		paths: paths.default([]),
	})
	.meta({ id: "WebhookInput" });

const webhookPatch = z
	.strictObject({
		url: z.string().optional(),
		description: text.optional(),
		events: eventTypes.optional(),
		paths: paths.optional(),
		disabled: z
			.union([z.literal(false), z.strictObject({ reason: z.string().trim().min(1).max(500) })])
			.nullable()
			.optional()
			.describe("With a reason: disables it. false or null: enables it"),
	})
	.meta({ id: "WebhookPatch" });

const webhook = z
	.object({
		id: endpointIdSchema,
		url: z.string(),
		description: z.string(),
		events: eventTypes,
		paths,
		disabled: z.object({ reason: z.string(), since: z.iso.datetime() }).nullable(),
		createdAt: z.iso.datetime(),
		secrets: z.int().describe("How many secrets sign now: two for a day after a rotation"),
		etag: z.string().describe("For If-Match"),
	})
	.meta({ id: "Webhook" });
export type Webhook = z.infer<typeof webhook>;

const webhookWithSecret = webhook
	.extend({ secret: z.string().describe("Shown this once. Verify the signature of every request with it") })
	.meta({ id: "WebhookWithSecret" });

const replayInput = z
	.strictObject({
		since: z.iso
			.datetime({ offset: true, error: "must be a moment such as 2026-01-31T09:00:00Z" })
			.describe("What was given up at that time or later"),
	})
	.meta({ id: "WebhookReplayInput" });
const replayOutput = z
	.object({
		replayed: z.int().describe(`At most ${MAX_REPLAYED}`),
		hasMore: z.boolean().describe("There is more: ask again"),
	})
	.meta({ id: "WebhookReplay" });

const params = z.object({ id: endpointIdSchema });

export const webhookRoutes = [
	route({
		method: "GET",
		path: "/v1/webhooks",
		operationId: "listWebhooks",
		summary: "List the endpoints",
		access: "manage",
		responses: { 200: { description: "All of them", schema: z.object({ items: z.array(webhook) }) } },
		async handler({ deps }) {
			const endpoints = await listStoredEndpoints(deps.store);
			return respondJson(200, { items: endpoints.map((stored) => shown(stored, deps.clock.now())) });
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
		async handler({ deps, body, change }) {
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
			note(change, null, endpoint);
			const { etag } = await store.putIfAbsent(webhookKey(id), JSON.stringify(endpoint), {
				contentType: "application/json",
			});
			return respondJson(
				201,
				{ ...shown({ endpoint, etag }, clock.now()), secret },
				{ location: `/v1/webhooks/${id}`, etag: quoted(etag) },
			);
		},
	}),
	route({
		method: "GET",
		path: "/v1/webhooks/{id}",
		operationId: "getWebhook",
		summary: "Read an endpoint",
		access: "manage",
		params,
		responses: { 200: { description: "The endpoint", schema: webhook } },
		async handler({ deps, params: { id } }) {
			const stored = expect(await readEndpoint(deps.store, id));
			return respondJson(200, shown(stored, deps.clock.now()), { etag: quoted(stored.etag) });
		},
	}),
	route({
		method: "PATCH",
		path: "/v1/webhooks/{id}",
		operationId: "patchWebhook",
		summary: "Change, disable or enable an endpoint. If-Match: only if it has that etag",
		access: "api",
		params,
		body: webhookPatch,
		bodyTypes: ["application/merge-patch+json"],
		responses: { 200: { description: "Changed", schema: webhook } },
		async handler({ deps, params: { id }, body: { disabled, ...body }, request, change }) {
			if (body.url !== undefined) assertWebhookUrl(body.url, deps.settings.webhookAllowInsecure);
			const patch = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
			const nowMs = deps.clock.now();
			const changed = await updateEndpoint(
				deps.store,
				id,
				(before) => {
					const after: Endpoint = { ...before, ...patch, disabled: disabledBy(disabled, before, nowMs) };
					note(change, before, after);
					return after;
				},
				etagOf(request, "if-match"),
			);
			const { endpoint, etag } = expect(changed);
			return respondJson(200, shown({ endpoint, etag }, nowMs), { etag: quoted(etag) });
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
		async handler({ deps, params: { id }, request, change }) {
			const stored = expect(await readEndpoint(deps.store, id));
			expectEtag(stored, etagOf(request, "if-match"));
			note(change, stored.endpoint, null);
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
		async handler({ deps, params: { id }, request, change }) {
			const nowMs = deps.clock.now();
			const secret = generateWebhookSecret();
			const changed = await updateEndpoint(
				deps.store,
				id,
				(before) => {
					const after = rotated(before, secret, nowMs);
					note(change, before, after);
					return after;
				},
				etagOf(request, "if-match"),
			);
			const { endpoint, etag } = expect(changed);
			return respondJson(200, { ...shown({ endpoint, etag }, nowMs), secret }, { etag: quoted(etag) });
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
				description: "It is on its way, within a minute; `location` is where to follow it",
				schema: replayedSchema,
			},
		},
		async handler({ deps, params: { id } }) {
			await expectEnabled(deps.store, id);
			const nowMs = deps.clock.now();
			const event = {
				id: `evt_${crypto.randomUUID().replaceAll("-", "")}`,
				type: "webhook.test",
				timestamp: new Date(nowMs).toISOString(),
				data: {},
			};
			const delivery = newDelivery(event, id, nowMs);
			await putDelivery(deps.store, "pending", delivery);
			deps.onDelivery?.();
			return respondJson(202, { deliveryId: delivery.id, endpointId: id, eventId: event.id }, followAt(id, event.id));
		},
	}),
	route({
		method: "GET",
		path: "/v1/webhooks/{id}/deliveries/{event}",
		operationId: "followDelivery",
		summary: "Read the delivery of an event to an endpoint, whether it waits, came through or was given up",
		access: "manage",
		params: params.extend({ event: z.string().max(100) }),
		responses: {
			200: {
				description: "The delivery. Looked for among the 1,000 most urgent or newest ones of each state",
				schema: fullDeliverySchema,
			},
		},
		async handler({ deps, params: { id, event } }) {
			const found = await findDelivery(deps.store, id, event);
			const delivery = found === null ? null : await readDelivery(deps.store, found.key);
			if (found === null || delivery === null || delivery === "damaged")
				throw new GoneError("http.not_found", "No delivery of this event to this endpoint is among the newest ones");
			return respondJson(200, fullDelivery(found, delivery));
		},
	}),
	route({
		method: "POST",
		path: "/v1/webhooks/{id}/replay",
		operationId: "replayDeadDeliveries",
		summary: "Deliver once more what was given up for an endpoint since a time, the oldest first",
		access: "api",
		params,
		body: replayInput,
		responses: { 202: { description: "They are on their way", schema: replayOutput } },
		async handler({ deps, params: { id }, body: { since }, change }) {
			await expectEnabled(deps.store, id);
			const result = await replayDead(deps.store, id, Date.parse(since), deps.clock.now());
			change.detail = { since, replayed: result.replayed };
			deps.onDelivery?.();
			return respondJson(202, result);
		},
	}),
];

/** Without its secrets. */
function shown({ endpoint, etag }: StoredEndpoint, nowMs: number): z.infer<typeof webhook> {
	const { id, url, description, events, paths, disabled, createdMs } = endpoint;
	return {
		id,
		url,
		description,
		events,
		paths,
		disabled: disabled === null ? null : { reason: disabled.reason, since: new Date(disabled.sinceMs).toISOString() },
		createdAt: new Date(createdMs).toISOString(),
		secrets: activeSecrets(endpoint, nowMs).length,
		etag,
	};
}

/** `undefined`: as it was. */
function disabledBy(
	asked: z.infer<typeof webhookPatch>["disabled"],
	{ disabled }: Endpoint,
	nowMs: number,
): Endpoint["disabled"] {
	if (asked === undefined) return disabled;
	return asked === false || asked === null ? null : { reason: asked.reason, sinceMs: disabled?.sinceMs ?? nowMs };
}

/** With the new secret first; those before it sign for a day at most. */
function rotated(before: Endpoint, secret: string, nowMs: number): Endpoint {
	const still = before.secrets
		.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs)
		.map((old) => ({ ...old, expiresMs: Math.min(old.expiresMs ?? Number.POSITIVE_INFINITY, nowMs + ROTATION_MS) }));
	return { ...before, secrets: [{ secret, expiresMs: null }, ...still].slice(0, MAX_SECRETS) };
}

/** Its URL is left out: some hold a secret. */
function note(change: Change, before: Endpoint | null, after: Endpoint | null): void {
	const of = after ?? before;
	change.target = of?.id ?? "";
	change.detail = {
		description: of?.description,
		events: of?.events,
		paths: of?.paths,
		disabled: of?.disabled?.reason ?? null,
		...(before !== null && after !== null && before.url !== after.url ? { hasNewUrl: true } : {}),
	};
}

function expect<T>(found: T | null | undefined): T {
	if (found != null) return found;
	throw new GoneError("http.not_found", "There is no such webhook endpoint");
}
