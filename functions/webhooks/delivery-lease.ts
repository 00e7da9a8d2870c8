/** Who delivers now: one function at a time, so that the events of an endpoint go out in their order. */

import * as z from "zod";
import type { Clock } from "#shared/clock.ts";
import { hasCode, SluiceError } from "#shared/problem.ts";
import { DELIVERY_LEASE_KEY } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";

/** What a function that was killed leaves behind holds the next one up for so long. */
export const LEASE_MS = 10_000;
const RENEW_MS = 3_000;

const leaseSchema = z.object({ expiresMs: z.number() });

type LeaseDeps = { readonly store: ObjectStore; readonly clock: Clock; readonly log: Deps["log"] };

export class DeliveryLease implements AsyncDisposable {
	readonly #deps: LeaseDeps;
	readonly #renewing: Disposable;
	readonly #holder = crypto.randomUUID();
	#etag: string;
	#renewal: Promise<void> = Promise.resolve();
	#isRenewing = false;
	/** Somebody else took it: this run took too long to renew it. */
	isLost = false;

	private constructor(deps: LeaseDeps, etag: string) {
		this.#deps = deps;
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
		const body = bodyOf(clock.now() + LEASE_MS, crypto.randomUUID());
		const current = await store.get(DELIVERY_LEASE_KEY);
		try {
			if (current === null) return new DeliveryLease(deps, (await store.putIfAbsent(DELIVERY_LEASE_KEY, body)).etag);
			const { expiresMs } = leaseSchema.parse(JSON.parse(await current.text()));
			if (expiresMs > clock.now()) return null;
			return new DeliveryLease(deps, (await store.putIfMatch(DELIVERY_LEASE_KEY, body, current.etag)).etag);
		} catch (error) {
			if (hasCode(error, "store.precondition", "store.conflict")) return null;
			throw error;
		}
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
			this.#etag = (await store.putIfMatch(DELIVERY_LEASE_KEY, bodyOf(expiresMs, this.#holder), this.#etag)).etag;
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			if (hasCode(error, "store.precondition")) this.isLost = true;
			log.info({ code: error.code }, "The lease of the deliveries could not be written");
		}
	}
}

/** No two bodies are the same: neither are their etags. */
function bodyOf(expiresMs: number, holder: string): string {
	return JSON.stringify({ expiresMs, holder });
}
