/** What servers of MediaMTX ask whoever decides for them: `authMethod: http`, `authHTTPAddress: https://…/auth`. */

import * as z from "zod";
import { actionSchema } from "#shared/access/permission.ts";
import { queryToken } from "#shared/access/query-token.ts";
import { DeniedError } from "#shared/problem.ts";
import { checkShown } from "../path-access.ts";
import { respondEmpty } from "../respond.ts";
import { route } from "../routing.ts";

/** Its URLs have 4,096 characters at most. */
const MAX_TEXT = 8_192;
const text = z.string().max(MAX_TEXT).default("");

/** Ten fields; versions differ in which of them they send, and later ones may send more. */
const requestSchema = z
	.object({
		ip: text,
		user: text,
		password: text.describe("Or a token or stream key in its place"),
		token: text,
		action: actionSchema,
		path: text,
		protocol: text,
		id: z.string().max(MAX_TEXT).nullable().default(""),
		query: text.describe("?token= or ?jwt= of the address"),
		userAgent: text,
	})
	.meta({ id: "MediaMtxAuthRequest" });

export const mediamtxAuthRoutes = [
	route({
		method: "POST",
		path: "/auth",
		operationId: "authenticateForMediaMtx",
		summary: "Say whether a client of a MediaMTX server may do what it asks for",
		access: "public",
		rate: "media",
		body: requestSchema,
		responses: { 200: { description: "It may. Otherwise 401, also when it has shown nothing yet" } },
		async handler({ deps, body: { action, path, token, password, query } }) {
			try {
				await checkShown(deps, action, path, [token, queryToken(query), password]);
			} catch (error) {
				// MediaMTX takes every status but 2xx for a no; RTSP clients show what they have after a 401 alone.
				if (!(error instanceof DeniedError) || error.code !== "access.forbidden") throw error;
				throw new DeniedError("access.credentials", error.message, { cause: error });
			}
			return respondEmpty(200);
		},
	}),
];
