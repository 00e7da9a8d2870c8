/** Deliveries as the API shows them: in a list by what their keys say, one by one with all that is known. */

import * as z from "zod";
import { DELIVERY_STATES } from "#shared/store/key.ts";
import { type Delivery, payloadSchema } from "./delivery.ts";
import { describeOutcome, nameOf, statusOf } from "./delivery-name.ts";
import type { Found } from "./find-deliveries.ts";

export const stateSchema = z.enum(DELIVERY_STATES);

export const shownDeliverySchema = z
	.object({
		name: z.string().describe("Names it as long as it is in this state; it has another one in the next"),
		state: stateSchema,
		endpointId: z.string(),
		eventId: z.string(),
		eventType: z.string(),
		path: z.string().nullable(),
		sequence: z.int().nullable().describe("The number of the event among those of its path"),
		attempts: z.int(),
		nextAttemptAt: z.iso.datetime().nullable(),
		endedAt: z.iso.datetime().nullable().describe("When it came through, or was given up"),
		lastStatus: z.int().nullable().describe("The HTTP status of the last attempt; null: there was no answer"),
		lastOutcome: z.string().describe("The same in words"),
	})
	.meta({ id: "WebhookDelivery" });
export type ShownDelivery = z.infer<typeof shownDeliverySchema>;

export const fullDeliverySchema = shownDeliverySchema
	.extend({
		event: payloadSchema.describe("The body, as it is sent"),
		attemptLog: z.array(
			z.object({
				at: z.iso.datetime(),
				durationMs: z.number(),
				status: z.int().nullable(),
				outcome: z.string(),
				answer: z.string().describe("The beginning of the answer, or what the network said"),
			}),
		),
	})
	.meta({ id: "WebhookDeliveryDetail" });
export type FullDelivery = z.infer<typeof fullDeliverySchema>;

export function shownDelivery({ key, summary }: Found): z.infer<typeof shownDeliverySchema> {
	const { state, atMs, endpointId, eventId, type, path, sequence, attempts, outcome } = summary;
	const at = new Date(atMs).toISOString();
	return {
		name: nameOf(state, key),
		state,
		endpointId,
		eventId,
		eventType: type,
		path,
		sequence: path === null ? null : sequence,
		attempts,
		nextAttemptAt: state === "pending" ? at : null,
		endedAt: state === "pending" ? null : at,
		lastStatus: statusOf(outcome),
		lastOutcome: describeOutcome(outcome),
	};
}

export function fullDelivery(found: Found, { event, attempts }: Delivery): z.infer<typeof fullDeliverySchema> {
	return {
		...shownDelivery(found),
		event,
		attemptLog: attempts.map(({ atMs, durationMs, outcome, answer }) => ({
			at: new Date(atMs).toISOString(),
			durationMs,
			status: statusOf(outcome),
			outcome: describeOutcome(outcome),
			answer,
		})),
	};
}
