/** The audit log: one object for each administrative change, created and never changed, by day and time. */

import * as z from "zod";
import { hasCode, SluiceError, StoreError } from "#shared/problem.ts";
import { auditKey } from "#shared/store/key.ts";
import type { Caller } from "../access/caller.ts";
import type { Deps } from "../deps.ts";
import type { Change } from "./change.ts";

const MAX_TEXT = 300;
const MAX_ATTEMPTS = 3;

export const auditEntrySchema = z
	.object({
		id: z.string(),
		at: z.iso.datetime(),
		by: z.object({
			kind: z.enum(["key", "token"]),
			id: z.string().describe("Of the key or the token"),
			name: z.string(),
		}),
		address: z.string().nullable().describe("Where the request came from, when that is known"),
		action: z.string().describe("The operationId"),
		target: z.string().describe("What was changed: a path, the id of a key, or the object"),
		before: z.string().nullable().describe("The etag of what was there"),
		after: z.string().nullable().describe("The etag of what is there now"),
		objects: z
			.array(z.object({ key: z.string(), before: z.string().nullable(), after: z.string().nullable() }))
			.describe("What was written to the bucket, with its etags"),
		outcome: z
			.enum(["done", "unknown"])
			.describe("unknown: the bucket did not say whether it took the change; it may have been made"),
		detail: z.record(z.string(), z.unknown()),
	})
	.meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export type Audited = {
	readonly caller: Caller;
	readonly address: string | null;
	readonly action: string;
	readonly change: Change;
	readonly outcome: AuditEntry["outcome"];
};

/**
 * Writes down what was changed. Nobody may be told that a change was made before this has resolved.
 * @throws StoreError `store.unavailable`: the change stands, and the log does not have it
 */
export async function writeAudit(
	{ store, clock, log }: Pick<Deps, "store" | "clock" | "log">,
	audited: Audited,
): Promise<void> {
	const { caller, address, action, change, outcome } = audited;
	const [first] = change.objects;
	const isTold = change.before !== null || change.after !== null;
	const nowMs = clock.now();
	const id = crypto.randomUUID();
	const entry: AuditEntry = {
		id,
		at: new Date(nowMs).toISOString(),
		by: { kind: caller.kind, id: caller.tokenId.slice(0, MAX_TEXT), name: caller.subject.slice(0, MAX_TEXT) },
		address,
		action,
		target: (change.target || (first?.key ?? "")).slice(0, MAX_TEXT),
		before: change.before ?? (isTold ? null : (first?.before ?? null)),
		after: change.after ?? (isTold ? null : (first?.after ?? null)),
		objects: change.objects,
		outcome,
		detail: change.detail,
	};
	for (let attempt = 1; ; attempt++) {
		try {
			await store.putIfAbsent(auditKey(nowMs, id), JSON.stringify(entry), { contentType: "application/json" });
			return;
		} catch (error) {
			// An attempt before this one went through after all, and its answer was lost.
			if (attempt > 1 && hasCode(error, "store.precondition")) return;
			if (!(error instanceof SluiceError)) throw error;
			if (attempt < MAX_ATTEMPTS && hasCode(error, "store.unavailable", "store.throttled", "store.conflict")) continue;
			log.error({ code: error.code, audit: entry }, "An administrative change could not be written to the audit log");
			throw new StoreError(
				"store.unavailable",
				`The change was ${outcome === "done" ? "made" : "begun"}, but the audit log could not be written. Read it again before you repeat it`,
				{ cause: error },
			);
		}
	}
}
