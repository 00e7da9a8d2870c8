import * as z from "zod";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

export const healthRoutes = [
	route({
		method: "GET",
		path: "/healthz",
		operationId: "getHealth",
		summary: "Says that the functions run",
		access: "public",
		responses: { 200: { description: "They do", schema: z.object({ status: z.literal("ok") }) } },
		handler: () => respondJson(200, { status: "ok" }),
	}),
];
