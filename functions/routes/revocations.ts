import * as z from "zod";
import { MAX_REVOKED_CHARS, REVOCATION_KINDS, type Revocation } from "#shared/access/access-document.ts";
import { MAX_TOKEN_LENGTH } from "#shared/access/token.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import type { Deps } from "../deps.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { revoke, updateAccess } from "../tokens/access-update.ts";
import { MAX_TOKEN_LIFE_MS } from "../tokens/token-life.ts";

const text = z.string().min(1).max(MAX_REVOKED_CHARS);

const revocationRequest = z
	.strictObject({
		token: z.string().max(MAX_TOKEN_LENGTH).optional().describe("A token itself"),
		tokenId: text.optional().describe("The id of a token, its claim jti"),
		subject: text.optional().describe("All tokens of one viewer that were made until now"),
		path: text.optional().describe("What was made until now, for watching this path"),
		tokensExpireBy: z.iso
			.datetime()
			.optional()
			.describe(
				"When the last token that is meant expires, if that is known: the entry goes then, and must not be needed",
			),
	})
	.refine(
		({ token, tokenId, subject, path }) =>
			[token, tokenId, subject, path].filter((given) => given !== undefined).length === 1,
		{ message: "must have one of token, tokenId, subject and path" },
	)
	.meta({ id: "RevocationRequest" });

const revocation = z
	.object({
		kind: z.enum(REVOCATION_KINDS),
		value: z.string(),
		revokedAt: z.iso.datetime(),
		expiresAt: z.iso.datetime().describe("When the entry goes, since its tokens have expired"),
	})
	.meta({ id: "Revocation" });

export type RevocationRequest = z.input<typeof revocationRequest>;
export type ShownRevocation = z.infer<typeof revocation>;

export const revocationRoutes = [
	route({
		method: "GET",
		path: "/v1/revocations",
		operationId: "listRevocations",
		summary: "List what was revoked and has not expired",
		access: "api",
		responses: { 200: { description: "The newest last", schema: z.object({ items: z.array(revocation) }) } },
		async handler({ deps }) {
			const { document } = await deps.tokens.state.refresh();
			const nowMs = deps.clock.now();
			return respondJson(200, { items: document.revocations.filter(({ expiresMs }) => expiresMs > nowMs).map(shown) });
		},
	}),
	route({
		method: "POST",
		path: "/v1/tokens/revoke",
		operationId: "revokeTokens",
		summary: "Revoke a token, all of a viewer, or all for a path. Every instance obeys within ten seconds",
		access: "api",
		body: revocationRequest,
		responses: { 201: { description: "Revoked", schema: revocation } },
		async handler({ deps, body, change }) {
			const nowMs = deps.clock.now();
			const asked = await meantBy(deps, body);
			const until =
				body.tokensExpireBy === undefined || body.token !== undefined
					? asked.expiresMs
					: Date.parse(body.tokensExpireBy);
			if (until <= nowMs)
				throw new InputError("input.invalid", "tokensExpireBy has passed: there is nothing to revoke");
			change.target = `${asked.kind} ${asked.value}`;
			const entry = { kind: asked.kind, value: asked.value, atMs: nowMs, expiresMs: until };
			await revoke(deps.store, entry, nowMs);
			await deps.tokens.state.refresh();
			return respondJson(201, shown(entry));
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/revocations/{kind}/{value}",
		operationId: "deleteRevocation",
		summary: "Take a revocation back",
		access: "api",
		params: z.object({ kind: z.enum(REVOCATION_KINDS), value: text }),
		responses: { 204: { description: "It is gone" } },
		async handler({ deps, params: { kind, value }, change }) {
			change.target = `${kind} ${value}`;
			await updateAccess(deps.store, (document) => {
				const revocations = document.revocations.filter((entry) => entry.kind !== kind || entry.value !== value);
				if (revocations.length < document.revocations.length) return { ...document, revocations };
				throw new GoneError("http.not_found", "There is no such revocation");
			});
			await deps.tokens.state.refresh();
			return respondEmpty(204);
		},
	}),
];

type Meant = Pick<Revocation, "kind" | "value" | "expiresMs">;

/** @throws DeniedError `access.token_invalid` for a token that is none of ours */
async function meantBy(deps: Deps, body: z.output<typeof revocationRequest>): Promise<Meant> {
	// No token lives longer than this from now on, whatever is known of it.
	const expiresMs = deps.clock.now() + MAX_TOKEN_LIFE_MS;
	if (body.subject !== undefined) return { kind: "subject", value: body.subject, expiresMs };
	if (body.path !== undefined) return { kind: "path", value: body.path, expiresMs };
	if (body.tokenId !== undefined) return { kind: "token", value: body.tokenId, expiresMs };
	const claims = await deps.tokens.claims(body.token ?? "");
	if (claims.tokenId === "") {
		throw new GoneError("http.not_found", "The token has no id (jti) by which it could be revoked; revoke its subject");
	}
	return { kind: "token", value: claims.tokenId, expiresMs: claims.expiresMs };
}

function shown({ kind, value, atMs, expiresMs }: Revocation): z.infer<typeof revocation> {
	return { kind, value, revokedAt: new Date(atMs).toISOString(), expiresAt: new Date(expiresMs).toISOString() };
}
