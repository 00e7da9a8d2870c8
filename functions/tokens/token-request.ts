import * as z from "zod";
import { MAX_EDGE_LIFE_MS, MAX_EDGE_PATHS } from "#shared/access/edge-token.ts";
import { fitsNothingFault, type Permission, permissionSchema } from "#shared/access/permission.ts";
import { tokenLimitsSchema } from "#shared/access/token-limits.ts";
import { durationMs, durationSchema } from "#shared/config/duration.ts";
import { isPathName } from "#shared/path-name.ts";
import { MAX_TOKEN_LIFE_MS } from "./token-life.ts";

/** How long a token or stream key lives. */
export const lifeSchema = durationSchema.refine(
	(text) => durationMs(text) > 0 && durationMs(text) <= MAX_TOKEN_LIFE_MS,
	{
		message: "must be more than 0s and at most ten years",
	},
);

export const pathNameSchema = z.string().refine(isPathName, { message: "must be a path name" });

/** What {@link permissionsOf} it asks for, for whom and until when. */
export const tokenRequestSchema = z
	.strictObject({
		path: pathNameSchema.optional().describe("Short for permissions of one path, together with actions"),
		actions: z
			.array(z.enum(["read", "publish"]))
			.min(1)
			.optional(),
		permissions: z
			.array(permissionSchema)
			.min(1)
			.max(100)
			.superRefine((permissions, context) => {
				for (const [i, { path }] of permissions.entries()) {
					const message = fitsNothingFault(path);
					if (message !== null) context.addIssue({ code: "custom", path: [i, "path"], message });
				}
			})
			.optional(),
		expiresIn: lifeSchema.default("1h"),
		subject: z.string().max(256).default("").describe("Who it is for; shown in logs"),
		limits: tokenLimitsSchema.optional(),
		form: z
			.enum(["signed", "edge"])
			.default("signed")
			.describe("edge: for a CDN that knows no public keys, as CloudFront; to read paths by name, for a day at most"),
	})
	.refine(
		({ path, actions, permissions }) => (permissions === undefined) === (path !== undefined && actions !== undefined),
		{
			message: "must have either path and actions, or permissions",
		},
	)
	.refine(
		({ limits, ...grant }) => limits === undefined || permissionsOf(grant).every(({ action }) => action === "read"),
		{
			message: "can be given for the action read alone: they are checked where HLS is served",
			path: ["limits"],
		},
	)
	.refine((grant) => grant.form === "signed" || fitsEdge(permissionsOf(grant)), {
		message: `can be edge for the action read alone, and for at most ${MAX_EDGE_PATHS} paths by name`,
		path: ["form"],
	})
	.refine(({ form, expiresIn }) => form === "signed" || durationMs(expiresIn) <= MAX_EDGE_LIFE_MS, {
		message: "must be at most 24h in an edge token",
		path: ["expiresIn"],
	})
	.refine(({ form, limits }) => form === "signed" || limits?.concurrency === undefined, {
		message: "cannot be counted at the edge",
		path: ["limits", "concurrency"],
	})
	.meta({ id: "TokenRequest" });

export type TokenRequest = z.input<typeof tokenRequestSchema>;

type Grant = {
	readonly path?: string | undefined;
	readonly actions?: readonly ("read" | "publish")[] | undefined;
	readonly permissions?: readonly Permission[] | undefined;
};

/** What a request asks for, in either of its two ways. */
export function permissionsOf({ path = "", actions = [], permissions }: Grant): readonly Permission[] {
	return permissions ?? actions.map((action) => ({ action, path }));
}

function fitsEdge(permissions: readonly Permission[]): boolean {
	return (
		permissions.length <= MAX_EDGE_PATHS &&
		permissions.every(({ action, path }) => action === "read" && isPathName(path))
	);
}
