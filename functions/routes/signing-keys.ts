import * as z from "zod";
import type { AccessDocument } from "#shared/access/access-document.ts";
import type { Deps } from "../deps.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { updateAccess } from "../tokens/access-update.ts";

/** With what an instance knows for five seconds: a removed key is out of every cache within ten. */
const JWKS_AGE_S = 5;

const keyInfo = z
	.object({
		kid: z.string(),
		origin: z.enum(["environment", "bucket"]).describe("Of SLUICE_SIGNING_KEYS, or made by a rotation"),
		signs: z.boolean().describe("Signs new tokens; the others verify"),
		createdAt: z.iso.datetime().nullable(),
	})
	.meta({ id: "SigningKey" });

const keyList = z.object({ items: z.array(keyInfo) }).meta({ id: "SigningKeys" });

export type SigningKeyList = z.infer<typeof keyList>;

export const signingKeyRoutes = [
	route({
		method: "GET",
		path: "/.well-known/jwks.json",
		operationId: "getKeys",
		summary: "The public keys of tokens",
		access: "public",
		responses: { 200: { description: "A JSON Web Key Set", contentType: "application/json" } },
		async handler({ deps }) {
			return respondJson(200, await deps.tokens.ring.publicSet(false), {
				"cache-control": `public, max-age=${JWKS_AGE_S}`,
			});
		},
	}),
	route({
		method: "GET",
		path: "/v1/signing-keys",
		operationId: "listSigningKeys",
		summary: "List the keys that sign and verify tokens, without what is secret",
		access: "api",
		responses: { 200: { description: "The first signs", schema: keyList } },
		async handler({ deps }) {
			return respondJson(200, shown(deps, (await deps.tokens.state.refresh()).document));
		},
	}),
	route({
		method: "POST",
		path: "/v1/signing-keys/rotate",
		operationId: "rotateSigningKey",
		summary: "Make a new key that signs from now on. The others verify until they are removed",
		access: "api",
		responses: { 200: { description: "All keys", schema: keyList } },
		async handler({ deps, change }) {
			const { ring, state } = deps.tokens;
			const document = await updateAccess(deps.store, (before) => ring.rotated(before));
			change.target = document.keys[0]?.public.kid ?? "";
			await state.refresh();
			return respondJson(200, shown(deps, document));
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/signing-keys/{kid}",
		operationId: "removeSigningKey",
		summary: "Trust a key no more: within ten seconds its tokens are worth nothing",
		access: "api",
		params: z.object({ kid: z.string().max(128) }),
		responses: { 204: { description: "It is gone; one of the environment is not trusted any more" } },
		async handler({ deps, params: { kid }, change }) {
			const { ring, state } = deps.tokens;
			change.target = kid;
			await updateAccess(deps.store, (before) => ring.without(before, kid));
			await state.refresh();
			return respondEmpty(204);
		},
	}),
];

function shown({ tokens }: Deps, document: AccessDocument): z.infer<typeof keyList> {
	const items = tokens.ring.list(document).map(({ createdMs, ...key }) => ({
		...key,
		createdAt: createdMs === null ? null : new Date(createdMs).toISOString(),
	}));
	return { items };
}
