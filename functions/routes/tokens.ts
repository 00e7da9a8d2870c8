import * as z from "zod";
import { issueEdgeToken } from "#shared/access/edge-token.ts";
import { type Action, mayGrant, type Permission, permissionSchema } from "#shared/access/permission.ts";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { type Claims, issueToken } from "#shared/access/token.ts";
import { tokenLimitsSchema } from "#shared/access/token-limits.ts";
import { durationMs } from "#shared/config/duration.ts";
import { isPathName } from "#shared/path-name.ts";
import { DeniedError } from "#shared/problem.ts";
import type { Deps } from "../deps.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { inspectToken, TOKEN_FAULTS } from "../tokens/inspect-token.ts";
import { lifeSchema, pathNameSchema, permissionsOf, tokenRequestSchema } from "../tokens/token-request.ts";

const tokenResponse = z
	.object({
		token: z.string(),
		tokenId: z.string().describe("By which it can be revoked"),
		expiresAt: z.iso.datetime(),
		url: z.url().optional().describe("Where the path can be watched, when the token allows to read one"),
	})
	.meta({ id: "Token" });

const streamKeyRequest = z
	.strictObject({
		path: pathNameSchema,
		action: z.enum(["publish", "read"]).default("publish"),
		expiresIn: lifeSchema.nullable().default(null),
	})
	.meta({ id: "StreamKeyRequest" });
const streamKeyResponse = z
	.object({ streamKey: z.string(), expiresAt: z.iso.datetime().nullable() })
	.meta({ id: "StreamKey" });

const claimsResponse = z
	.object({
		valid: z.boolean(),
		fault: z.enum(TOKEN_FAULTS).nullable(),
		detail: z.string().describe("The fault in a sentence"),
		verified: z
			.boolean()
			.describe("Whether the signature vouches for what follows; else it is only what the token says"),
		subject: z.string(),
		tokenId: z.string(),
		expiresAt: z.iso.datetime().nullable(),
		issuedAt: z.iso.datetime().optional(),
		permissions: z.array(permissionSchema).optional(),
		limits: tokenLimitsSchema.optional(),
	})
	.meta({ id: "TokenClaims" });

export type IssuedToken = z.infer<typeof tokenResponse>;
export type InspectedToken = z.infer<typeof claimsResponse>;

const VIEWER_ACTIONS: ReadonlySet<Action> = new Set(["read", "playback"]);

export const tokenRoutes = [
	route({
		method: "POST",
		path: "/v1/tokens",
		operationId: "createToken",
		summary: "Make a token, and the signed URL for it",
		access: "manage",
		scope: "handler",
		body: tokenRequestSchema,
		responses: { 201: { description: "The token; it is not kept", schema: tokenResponse } },
		async handler({ deps, body, request, claims, change }) {
			const { clock, tokens } = deps;
			const { subject, limits = {} } = body;
			const permissions = permissionsOf(body);
			expectGrantable(claims, permissions);
			const expiresMs = clock.now() + durationMs(body.expiresIn);
			const tokenId = crypto.randomUUID();
			change.target = tokenId;
			change.detail = { subject, permissions, expiresIn: body.expiresIn };
			// A service hands one to each of its viewers: those are in its own log.
			change.isAudited = permissions.some(({ action }) => !VIEWER_ACTIONS.has(action));
			const paths = permissions.map(({ path }) => path);
			const token =
				body.form === "edge"
					? await issueEdgeToken(await tokens.edgeKeys(), {
							tokenId,
							subject,
							issuedMs: clock.now(),
							expiresMs,
							paths,
							limits,
						})
					: await issueToken(await tokens.ring.signing(), { permissions, subject, expiresMs, limits, tokenId }, clock);
			const path = permissions.find(({ action, path }) => action === "read" && isPathName(path))?.path;
			const url = path === undefined ? {} : { url: `${originOf(deps, request)}/${token}/${path}/index.m3u8` };
			return respondJson(201, { token, tokenId, expiresAt: new Date(expiresMs).toISOString(), ...url });
		},
	}),
	route({
		method: "POST",
		path: "/v1/tokens/inspect",
		operationId: "inspectToken",
		summary: "Say what a token allows, or why it is worth nothing",
		access: "api",
		isAudited: false,
		body: z
			.strictObject({
				token: z.string().max(4096),
				path: pathNameSchema.optional().describe("Also say whether it allows to watch this path now"),
			})
			.meta({ id: "TokenInspection" }),
		responses: { 200: { description: "What it allows, or its fault", schema: claimsResponse } },
		async handler({ deps, body }) {
			const { fault, detail, claims, said } = await inspectToken(deps.tokens, body.token, body.path ?? null);
			const { subject, tokenId, expiresMs } = claims ?? said;
			return respondJson(200, {
				valid: fault === null,
				fault,
				detail,
				verified: claims !== null,
				subject,
				tokenId,
				expiresAt: expiresMs === null ? null : new Date(expiresMs).toISOString(),
				...(claims === null
					? {}
					: {
							issuedAt: new Date(claims.issuedMs ?? 0).toISOString(),
							permissions: claims.permissions,
							limits: claims.limits ?? {},
						}),
			});
		},
	}),
	route({
		method: "POST",
		path: "/v1/stream-keys",
		operationId: "createStreamKey",
		summary: "Make a short key for an encoder whose address has no room for a token",
		access: "manage",
		scope: "handler",
		body: streamKeyRequest,
		responses: { 201: { description: "The key; it is not kept", schema: streamKeyResponse } },
		async handler({ deps, body: { path, action, expiresIn }, claims, change }) {
			expectGrantable(claims, [{ action, path }]);
			change.target = path;
			change.detail = { action, expiresIn };
			const expiresMs = expiresIn === null ? null : deps.clock.now() + durationMs(expiresIn);
			const streamKey = await issueStreamKey(deps.settings.streamKeySecrets, { path, action }, expiresMs);
			return respondJson(201, { streamKey, expiresAt: expiresMs === null ? null : new Date(expiresMs).toISOString() });
		},
	}),
];

/** @throws DeniedError */
function expectGrantable(claims: Claims | null, permissions: readonly Permission[]): void {
	const refused = permissions.find((permission) => !mayGrant(claims?.permissions ?? [], permission));
	if (refused === undefined) return;
	const where = refused.path === "" ? "every path" : refused.path;
	throw new DeniedError(
		"access.forbidden",
		`Your key or token does not allow to hand out ${refused.action} on ${where}`,
	);
}

/** Where viewers reach the functions, without a slash at the end. */
function originOf({ settings }: Deps, request: Request): string {
	return (settings.publicUrl ?? new URL(request.url).origin).replace(/\/+$/, "");
}
