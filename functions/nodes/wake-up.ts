import { signWebhook } from "#shared/events/standard-webhooks.ts";
import type { Deps } from "../deps.ts";

/** How often one instance calls. */
export const WAKE_INTERVAL_MS = 30_000;
/** Whoever waits for a node has no use for a longer answer. */
const WAKE_TIMEOUT_MS = 3_000;

/** Why a node more is wanted: no node is up, or all that take new streams are busy. */
export type WakeReason = "none" | "busy";

const SITUATIONS: Readonly<Record<WakeReason, string>> = { none: "No node is up", busy: "All nodes are busy" };

/** Calls whoever can start nodes when more are wanted: an optional address, told by a signed POST (Standard Webhooks). */
export class WakeUp {
	readonly #deps: Pick<Deps, "clock" | "log" | "settings" | "webhooks">;
	#lastMs = Number.NEGATIVE_INFINITY;

	constructor(deps: Pick<Deps, "clock" | "log" | "settings" | "webhooks">) {
		this.#deps = deps;
	}

	/** Calls, unless it did so a moment ago. Waits for the answer, since some runtimes stop with the response. Never fails. */
	async call(region: string, reason: WakeReason): Promise<void> {
		const { clock, log, webhooks } = this.#deps;
		const { wakeUrl, wakeSecret } = this.#deps.settings;
		if (wakeUrl === null || wakeSecret === null) return;
		if (clock.monotonic() - this.#lastMs < WAKE_INTERVAL_MS) return;
		this.#lastMs = clock.monotonic();
		const atMs = clock.now();
		const id = `wake_${crypto.randomUUID()}`;
		const situation = SITUATIONS[reason];
		const data = { region, reason };
		const body = JSON.stringify({ type: "nodes.wanted", timestamp: new Date(atMs).toISOString(), data });
		try {
			const signature = await signWebhook(id, atMs, body, [wakeSecret]);
			const headers = { ...signature, "content-type": "application/json" };
			const { status } = await webhooks.send(wakeUrl, headers, body, WAKE_TIMEOUT_MS);
			if (status >= 200 && status < 300) log.info({ region, status }, `${situation}: nodes were asked for`);
			else log.error({ region, status }, `${situation}, and who could start one refused`);
		} catch (error) {
			log.error({ region, err: error }, `${situation}, and who could start one could not be called`);
		}
	}
}
