import * as z from "zod";
import { InputError } from "#shared/problem.ts";
import { auditEntrySchema } from "../audit/audit-log.ts";
import { readAudit } from "../audit/read-audit.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const DAY_MS = 86_400_000;
/** Beyond it the day in a key has no four digits. */
const MAX_MS = Date.UTC(9999, 11, 31);

const page = z
	.object({ items: z.array(auditEntrySchema), next: z.string().nullable().describe("The cursor of the next page") })
	.meta({ id: "AuditPage" });

const moment = z.union(
	[z.iso.datetime({ offset: true }), z.iso.date()],
	"must be a day such as 2026-01-31, or a moment such as 2026-01-31T09:00:00Z",
);

export const auditRoutes = [
	route({
		method: "GET",
		path: "/v1/audit",
		operationId: "listAudit",
		summary: "Who changed what, and when; oldest first",
		access: "api",
		query: z.object({
			from: moment.optional().describe("A moment, or a day in UTC; a day before `to` when it is left out"),
			to: moment.optional().describe("The range ends before it; now when it is left out"),
			cursor: z
				.string()
				.regex(/^\d{4}-\d\d-\d\d\/[0-9.-]{12}-[0-9a-f-]{36}\.json$/)
				.optional(),
			limit: z.coerce.number().int().min(1).max(100).default(50),
		}),
		responses: { 200: { description: "One page", schema: page } },
		async handler({ deps, query: { from, to, cursor, limit } }) {
			// What was written this very millisecond is in the range.
			const toMs = to === undefined ? deps.clock.now() + 1 : Date.parse(to);
			const fromMs = from === undefined ? toMs - DAY_MS : Date.parse(from);
			if (fromMs > toMs || fromMs < 0 || toMs > MAX_MS)
				throw new InputError("input.invalid", "The request is not valid: from must not be after to, nor before 1970");
			const { entries, next } = await readAudit(deps.store, { fromMs, toMs, cursor: cursor ?? null, limit });
			return respondJson(200, { items: entries, next });
		},
	}),
];
