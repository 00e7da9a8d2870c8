import * as z from "zod";
import { ROLES } from "#shared/access/api-key.ts";
import { permissionSchema } from "#shared/access/permission.ts";
import { roleOf } from "../access/caller.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const me = z
	.object({
		kind: z.enum(["key", "token"]),
		id: z.string().describe("Of the key or the token"),
		name: z.string(),
		role: z.enum(ROLES).nullable(),
		permissions: z.array(permissionSchema),
		expiresAt: z.iso.datetime().nullable(),
	})
	.meta({ id: "Me" });

export type Me = z.infer<typeof me>;

export const meRoutes = [
	route({
		method: "GET",
		path: "/v1/me",
		operationId: "getMe",
		summary: "Say whose the key or token of this request is, and what it allows",
		access: "view",
		scope: "handler",
		responses: { 200: { description: "Who asks", schema: me } },
		handler({ claims }) {
			if (claims === null) throw new TypeError("Cannot say who asks on a public route");
			const { kind, tokenId: id, subject: name, permissions, expiresMs } = claims;
			const expiresAt = Number.isFinite(expiresMs) ? new Date(expiresMs).toISOString() : null;
			return respondJson(200, { kind, id, name, role: roleOf(permissions), permissions, expiresAt });
		},
	}),
];
