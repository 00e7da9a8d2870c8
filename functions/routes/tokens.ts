import { z } from "zod";
import { permissionSchema } from "#shared/access/permission.ts";
import { publicJwks } from "#shared/access/signing-key.ts";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { durationMs, durationSchema } from "#shared/config/duration.ts";
import { isPathName } from "#shared/path-name.ts";
import type { Deps } from "../deps.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const MAX_LIFE_MS = 10 * 366 * 86_400_000;

const life = durationSchema.refine((text) => durationMs(text) > 0 && durationMs(text) <= MAX_LIFE_MS, {
	message: "must be more than 0s and at most ten years",
});

const pathName = z.string().refine(isPathName, { message: "must be a path name" });

const tokenRequest = z
	.strictObject({
		path: pathName.optional().describe("Short for permissions of one path, together with actions"),
		actions: z
			.array(z.enum(["read", "publish"]))
			.min(1)
			.optional(),
		permissions: z.array(permissionSchema).min(1).max(100).optional(),
		expiresIn: life.default("1h"),
		subject: z.string().max(256).default("").describe("Who it is for; shown in logs"),
	})
	.refine(
		({ path, actions, permissions }) => (permissions === undefined) === (path !== undefined && actions !== undefined),
		{
			message: "must have either path and actions, or permissions",
		},
	)
	.meta({ id: "TokenRequest" });

const tokenResponse = z
	.object({
		token: z.string(),
		expiresAt: z.iso.datetime(),
		url: z.url().optional().describe("Where the path can be watched, when the token allows to read one"),
	})
	.meta({ id: "Token" });

const streamKeyRequest = z
	.strictObject({
		path: pathName,
		action: z.enum(["publish", "read"]).default("publish"),
		expiresIn: life.nullable().default(null),
	})
	.meta({ id: "StreamKeyRequest" });
const streamKeyResponse = z
	.object({ streamKey: z.string(), expiresAt: z.iso.datetime().nullable() })
	.meta({ id: "StreamKey" });

const claimsResponse = z
	.object({
		subject: z.string(),
		tokenId: z.string(),
		expiresAt: z.iso.datetime(),
		permissions: z.array(permissionSchema),
	})
	.meta({ id: "TokenClaims" });

export const tokenRoutes = [
	route({
		method: "POST",
		path: "/v1/tokens",
		operationId: "createToken",
		summary: "Make a token, and the signed URL for it",
		access: "api",
		body: tokenRequest,
		responses: { 201: { description: "The token; it is not kept", schema: tokenResponse } },
		async handler({ deps, body, request }) {
			const permissions = body.permissions ?? (body.actions ?? []).map((action) => ({ action, path: body.path ?? "" }));
			const expiresMs = deps.clock.now() + durationMs(body.expiresIn);
			const token = await issueToken(
				deps.settings.signingKeys,
				{ permissions, subject: body.subject, expiresMs },
				deps.clock,
			);
			const path = permissions.find(({ action, path }) => action === "read" && isPathName(path))?.path;
			const url = path === undefined ? {} : { url: `${originOf(deps, request)}/${token}/${path}/index.m3u8` };
			return respondJson(201, { token, expiresAt: new Date(expiresMs).toISOString(), ...url });
		},
	}),
	route({
		method: "POST",
		path: "/v1/tokens/inspect",
		operationId: "inspectToken",
		summary: "Say what a token allows",
		access: "api",
		body: z.strictObject({ token: z.string().max(4096) }).meta({ id: "TokenInspection" }),
		responses: { 200: { description: "What it allows", schema: claimsResponse } },
		async handler({ deps, body }) {
			const { subject, tokenId, expiresMs, permissions } = await deps.verifier.verify(body.token);
			return respondJson(200, { subject, tokenId, expiresAt: new Date(expiresMs).toISOString(), permissions });
		},
	}),
	route({
		method: "POST",
		path: "/v1/stream-keys",
		operationId: "createStreamKey",
		summary: "Make a short key for an encoder whose address has no room for a token",
		access: "api",
		body: streamKeyRequest,
		responses: { 201: { description: "The key; it is not kept", schema: streamKeyResponse } },
		async handler({ deps, body: { path, action, expiresIn } }) {
			const expiresMs = expiresIn === null ? null : deps.clock.now() + durationMs(expiresIn);
			const streamKey = await issueStreamKey(deps.settings.streamKeySecrets, { path, action }, expiresMs);
			return respondJson(201, { streamKey, expiresAt: expiresMs === null ? null : new Date(expiresMs).toISOString() });
		},
	}),
	route({
		method: "GET",
		path: "/.well-known/jwks.json",
		operationId: "getKeys",
		summary: "The public keys of tokens",
		access: "public",
		responses: { 200: { description: "A JSON Web Key Set", contentType: "application/json" } },
		handler: ({ deps }) =>
			respondJson(200, publicJwks(deps.settings.signingKeys), { "cache-control": "public, max-age=300" }),
	}),
];

/** Where viewers reach the functions, without a slash at the end. */
function originOf({ settings }: Deps, request: Request): string {
	return (settings.publicUrl ?? new URL(request.url).origin).replace(/\/+$/, "");
}
