/** What stands between a node and its auto-scaling group: says when the node is ready, when it failed, and when it is idle. */

import type { Clock } from "#shared/clock.ts";
import type { Group } from "./group.ts";

/** What the agent knows of the node beside it. */
export type NodeStatus = { readonly isHealthy: boolean; readonly isBusy: boolean };

export type AgentOptions = {
	readonly group: Pick<Group, "proceed" | "reportUnhealthy" | "release">;
	readonly instanceId: string;
	/** What the group wants of this instance. */
	readonly targetState: () => Promise<string | null>;
	readonly node: () => Promise<NodeStatus>;
	/** Stops the node, which finishes what it has in hand. */
	readonly stopNode: () => Promise<void>;
	readonly clock: Clock;
	readonly log: (message: string) => void;
};

/** How often the agent looks. */
export const LOOK_MS = 5_000;
/** A node that does not answer for so long is replaced. systemd has restarted it many times by then. */
export const UNHEALTHY_AFTER_MS = 120_000;
/** A node without a stream for so long is given back. */
export const IDLE_AFTER_MS = 15 * 60_000;
export const LAUNCH_HOOK = "sluice-ready";
export const TERMINATE_HOOK = "sluice-drain";

/** The state of one instance in its group. Call {@link look} every {@link LOOK_MS}. */
export class Agent {
	readonly #options: AgentOptions;
	#isReady = false;
	#isEnding = false;
	#lastHealthyMs: number;
	#lastBusyMs: number;

	constructor(options: AgentOptions) {
		this.#options = options;
		this.#lastHealthyMs = options.clock.monotonic();
		this.#lastBusyMs = options.clock.monotonic();
	}

	/** Looks once, and does what follows from it. Never throws: what fails is tried again by the next look. */
	async look(): Promise<void> {
		if (this.#isEnding) return;
		try {
			await this.#step();
		} catch (error) {
			this.#options.log(`will try again: ${error instanceof Error ? error.message : String(error)}`);
		}
	}

	async #step(): Promise<void> {
		const { targetState, node, clock } = this.#options;
		const target = await targetState();
		if (target === "Terminated" || target === "Warmed:Terminated") return this.#drain();
		const { isHealthy, isBusy } = await node();
		const nowMs = clock.monotonic();
		if (isHealthy) this.#lastHealthyMs = nowMs;
		if (isBusy) this.#lastBusyMs = nowMs;
		if (!this.#isReady) {
			// Until the node has answered once, the group's hook decides how long it may take.
			if (isHealthy && target !== null) await this.#ready(nowMs);
			return;
		}
		if (nowMs - this.#lastHealthyMs >= UNHEALTHY_AFTER_MS) await this.#fail(nowMs);
		else if (isHealthy && nowMs - this.#lastBusyMs >= IDLE_AFTER_MS) await this.#giveBack();
	}

	async #ready(nowMs: number): Promise<void> {
		const { group, instanceId, log } = this.#options;
		await group.proceed(LAUNCH_HOOK, instanceId);
		this.#isReady = true;
		this.#lastBusyMs = nowMs;
		log("the node is healthy: the group counts on it");
	}

	async #fail(nowMs: number): Promise<void> {
		const { group, instanceId, log } = this.#options;
		await group.reportUnhealthy(instanceId);
		// Said again after as long as the first time, should the group not have heard.
		this.#lastHealthyMs = nowMs;
		log("the node did not answer for two minutes: the group was asked to replace it");
	}

	async #giveBack(): Promise<void> {
		const { group, instanceId, clock, log } = this.#options;
		await group.release(instanceId);
		this.#lastBusyMs = clock.monotonic();
		log("no stream for fifteen minutes: the instance was given back");
	}

	async #drain(): Promise<void> {
		const { group, instanceId, stopNode, log } = this.#options;
		log("the group ends this instance: the node is stopped");
		await stopNode();
		await group.proceed(TERMINATE_HOOK, instanceId);
		this.#isEnding = true;
	}
}
