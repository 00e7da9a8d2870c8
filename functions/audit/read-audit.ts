import { StoreError } from "#shared/problem.ts";
import { AUDIT_PREFIX, auditPosition } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { type AuditEntry, auditEntrySchema } from "./audit-log.ts";

export type AuditRange = {
	/** Milliseconds since the Unix epoch; `from` is in the range, `to` is not. */
	readonly fromMs: number;
	readonly toMs: number;
	/** The `next` of the page before. */
	readonly cursor: string | null;
	readonly limit: number;
};

/** Reads a page of the log, oldest first: one listing, and a read for each entry. */
export async function readAudit(
	store: ObjectStore,
	{ fromMs, toMs, cursor, limit }: AuditRange,
): Promise<{ entries: AuditEntry[]; next: string | null }> {
	const start = auditPosition(fromMs);
	const end = auditPosition(toMs);
	const after = cursor === null ? start : AUDIT_PREFIX + cursor;
	const { objects, next } = await store.list(AUDIT_PREFIX, { limit, startAfter: after < start ? start : after });
	const keys = objects.map(({ key }) => key).filter((key) => key < end);
	const entries = await Promise.all(keys.map((key) => readEntry(store, key)));
	const isLast = next === null || keys.length < objects.length;
	return {
		entries: entries.filter((entry) => entry !== null),
		next: isLast ? null : next.slice(AUDIT_PREFIX.length),
	};
}

async function readEntry(store: ObjectStore, key: string): Promise<AuditEntry | null> {
	const object = await store.get(key);
	if (object === null) return null;
	const text = await object.text();
	try {
		return auditEntrySchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new StoreError("store.refused", `The audit entry ${key} is damaged`, { cause });
	}
}
