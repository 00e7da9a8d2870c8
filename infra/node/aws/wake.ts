/** The wake-up call's receiver: makes an auto-scaling group one instance bigger, for who signs as Standard Webhooks has it. */

import { isSignedWebhook } from "#shared/events/standard-webhooks.ts";
import { Group } from "./group.ts";
import type { AwsFetch } from "./signed-call.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The part of a function URL's event that is read, payload format 2.0. */
export type WakeEvent = {
	readonly headers?: Readonly<Record<string, string | undefined>>;
	readonly body?: string;
	readonly isBase64Encoded?: boolean;
};

export type WakeAnswer = { readonly statusCode: number; readonly body?: string };

/** The call's body has some 100 bytes. */
const MAX_BODY_CHARS = 4096;

/** Makes the handler for an environment. */
export function createWake(environment: Environment, fetch: AwsFetch, now: () => number) {
	return async (event: WakeEvent): Promise<WakeAnswer> => {
		if (!(await isAllowed(event, environment["WAKE_SECRET"] ?? "", now()))) return { statusCode: 401 };
		const group = new Group(environment["AWS_GROUP"] ?? "", {
			region: environment["AWS_REGION"] ?? "",
			credentials: async () => ({
				accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
				secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
				sessionToken: environment["AWS_SESSION_TOKEN"] ?? null,
			}),
			now,
			fetch,
		});
		const grows = await group.grow(environment["AWS_GROW_POLICY"] ?? "");
		return { statusCode: 202, body: grows ? "a node was asked for" : "a node is on its way" };
	};
}

async function isAllowed({ headers = {}, body = "", isBase64Encoded }: WakeEvent, secret: string, nowMs: number) {
	if (body.length > MAX_BODY_CHARS || secret === "") return false;
	const signed = {
		"webhook-id": headers["webhook-id"] ?? "",
		"webhook-timestamp": headers["webhook-timestamp"] ?? "",
		"webhook-signature": headers["webhook-signature"] ?? "",
	};
	const text = isBase64Encoded === true ? Buffer.from(body, "base64").toString() : body;
	return isSignedWebhook(signed, text, [secret], nowMs);
}

export const handler = createWake(process.env, fetch, Date.now);
