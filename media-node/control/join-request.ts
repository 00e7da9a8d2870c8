/** Asks a control plane to take this machine as a node. */

import * as z from "zod";
import { type Clock, within } from "#shared/clock.ts";
import { jsonOrNull } from "#shared/json.ts";
import type { NodePublicKey } from "#shared/nodes/node-key.ts";
import { DeniedError, InputError, StoreError } from "#shared/problem.ts";
import { responseText } from "../http/response-text.ts";

const ANSWER_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

const answerSchema = z.object({
	id: z.string(),
	bucket: z.string().nullable(),
	credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }).nullable(),
	jwksUrl: z.url(),
	streamKeySecrets: z.array(z.base64url().min(22)).min(1),
});
export type JoinAnswer = z.infer<typeof answerSchema>;

export type JoinRequest = {
	/** The address of the functions, without a slash at the end. */
	readonly control: string;
	/** A token or API key that allows the action `api`. */
	readonly token: string;
	readonly id: string;
	readonly key: NodePublicKey;
	readonly replace: boolean;
	readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
	readonly clock: Clock;
};

/**
 * Joins. Doing it again changes nothing.
 * @throws DeniedError when the token does not allow it; InputError `node.conflict`, `input.invalid`; StoreError
 * `store.unavailable` when the control plane does not answer
 */
export async function requestJoin({
	control,
	token,
	id,
	key,
	replace,
	fetch,
	clock,
}: JoinRequest): Promise<JoinAnswer> {
	const ask = async (signal: AbortSignal) => {
		const response = await fetch(`${control}/v1/nodes`, {
			method: "POST",
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			body: JSON.stringify({ id, key, replace }),
			redirect: "manual",
			signal,
		});
		return { response, text: await responseText(response, MAX_ANSWER_BYTES) };
	};
	let asked: Awaited<ReturnType<typeof ask>>;
	try {
		asked = await within(clock, ANSWER_TIMEOUT_MS, ask);
	} catch (cause) {
		throw new StoreError("store.unavailable", `${control} does not answer; check the address and the network`, {
			cause,
		});
	}
	const { response, text } = asked;
	if (text === null)
		throw new InputError("input.too_large", `The control plane answers with more than ${MAX_ANSWER_BYTES} bytes`);
	const answer = jsonOrNull(text);
	const detail = z.object({ detail: z.string().max(2_000) }).safeParse(answer).data?.detail ?? "";
	const said = `${control} says ${response.status}${detail === "" ? "" : `: ${detail}`}`;
	if (response.status === 401 || response.status === 403) throw new DeniedError("access.forbidden", said);
	if (response.status === 409) throw new InputError("node.conflict", said);
	if (response.status >= 500) throw new StoreError("store.unavailable", said);
	const result = answerSchema.safeParse(answer);
	if (!response.ok || !result.success || result.data.id !== id) {
		throw new InputError("input.invalid", `${said}; it is no Sluice that nodes can join`);
	}
	return result.data;
}
