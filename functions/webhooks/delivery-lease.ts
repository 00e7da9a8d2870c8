/** Who delivers now: one function at a time, so that the events of an endpoint go out in their order. */

import * as z from "zod";
import type { Clock } from "#shared/clock.ts";
import { parsedJson } from "#shared/json.ts";
import { hasCode, SluiceError } from "#shared/problem.ts";
import { DELIVERY_LEASE_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";

/** What a function that was killed leaves behind holds the next one up for so long. */
export const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
/** A lease that lasts longer than this was written by a clock that is ahead: it is taken over, so that nobody waits for that. */
const MAX_LEFT_MS = LEASE_MS + 60_000;

/** What one run tells the next one. When it is lost, a little is done twice. */
const notesSchema = z.object({
	/** When what is old was swept last. */
	sweptMs: z.number().default(0),
	/** Endpoints that are left alone until then: they asked for it, or failed again and again. */
	holds: z.record(z.string(), z.number()).default({}),
});
export type DeliveryNotes = z.infer<typeof notesSchema>;

const leaseSchema = notesSchema.extend({ expiresMs: z.number() });

const NEVER = leaseSchema.parse({ expiresMs: 0 });

type LeaseDeps = { readonly store: ObjectStore; readonly clock: Clock; readonly log: Deps["log"] };

export class DeliveryLease implements AsyncDisposable {
	readonly #deps: LeaseDeps;
	readonly #renewing: Disposable;
	readonly #holder: string;
	/** Changed by who has the lease, and written with it. */
	readonly notes: DeliveryNotes;
	#etag: string;
	#renewal: Promise<void> = Promise.resolve();
	#isRenewing = false;
	/** Somebody else took it: this run took too long to renew it. */
	isLost = false;

	private constructor(deps: LeaseDeps, holder: string, etag: string, notes: DeliveryNotes) {
		this.#deps = deps;
		this.#holder = holder;
		this.notes = notes;
		this.#etag = etag;
		this.#renewing = deps.clock.every(RENEW_MS, () => {
			if (this.#isRenewing || this.isLost) return;
			this.#isRenewing = true;
			this.#renewal = this.#renew();
		});
	}

	/** `null`: another function has it. */
	static async take(deps: LeaseDeps): Promise<DeliveryLease | null> {
		const { store, clock } = deps;
		const holder = crypto.randomUUID();
		const current = await store.get(DELIVERY_LEASE_KEY);
		try {
			const { expiresMs, ...notes } = current === null ? structuredClone(NEVER) : parsed(await current.text());
			const leftMs = expiresMs - clock.now();
			if (leftMs > 0 && leftMs <= MAX_LEFT_MS) return null;
			const body = bodyOf(clock.now() + LEASE_MS, holder, notes);
			const { etag } = await (current === null
				? store.putIfAbsent(DELIVERY_LEASE_KEY, body)
				: store.putIfMatch(DELIVERY_LEASE_KEY, body, current.etag));
			return new DeliveryLease(deps, holder, etag, notes);
		} catch (error) {
			if (hasCode(error, "store.precondition", "store.conflict")) return null;
			throw error;
		}
	}

	/** When what is old was swept last, whoever has the lease. */
	static async sweptMs({ store }: Pick<LeaseDeps, "store">): Promise<number> {
		const current = await store.get(DELIVERY_LEASE_KEY);
		return current === null ? 0 : parsed(await current.text()).sweptMs;
	}

	/** Gives it back. Whatever fails: it runs out by itself. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#renewing[Symbol.dispose]();
		await this.#renewal;
		if (!this.isLost) await this.#write(0);
	}

	async #renew(): Promise<void> {
		await this.#write(this.#deps.clock.now() + LEASE_MS);
		this.#isRenewing = false;
	}

	async #write(expiresMs: number): Promise<void> {
		const { store, log } = this.#deps;
		try {
			this.#etag = (
				await store.putIfMatch(DELIVERY_LEASE_KEY, bodyOf(expiresMs, this.#holder, this.notes), this.#etag)
			).etag;
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			if (hasCode(error, "store.precondition")) this.isLost = true;
			log.info({ code: error.code }, "The lease of the deliveries could not be written");
		}
	}
}

/** What is damaged is as if nobody had ever had it: the next one who takes it writes it anew. */
function parsed(text: string): z.infer<typeof leaseSchema> {
	return parsedJson(leaseSchema, text) ?? structuredClone(NEVER);
}

/** No two bodies are the same: neither are their etags. */
function bodyOf(expiresMs: number, holder: string, notes: DeliveryNotes): string {
	return JSON.stringify({ expiresMs, holder, ...notes });
}
