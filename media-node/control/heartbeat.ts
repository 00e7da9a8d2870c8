/**
 * The heartbeat of a node: one signed object, written every few seconds, by which the functions know that it lives and
 * where it is. With each one the node looks whether it is to drain. None of it is in the way of media.
 */

import { abortedError, type Clock, within } from "#shared/clock.ts";
import { type Heartbeat, type NodeEndpoints, type NodeLoad, signHeartbeat } from "#shared/nodes/heartbeat.ts";
import { type NodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { type NodeStream, type NodeStreams, nodeStreamsHash } from "#shared/nodes/node-streams.ts";
import { parseRegistration, type Registration } from "#shared/nodes/registration.ts";
import { SluiceError } from "#shared/problem.ts";
import { nodeHeartbeatKey, nodeRegistrationKey, nodeStreamsKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { Logger } from "../log.ts";

/** A bucket that does not answer must not hold the next heartbeat for long. */
const BEAT_TIMEOUT_MS = 4_000;
/** So long the last word may take when the node stops. */
const LAST_WORD_MS = 2_000;

/** What changes from one heartbeat to the next. */
export type HeartbeatFacts = {
	readonly region: string;
	readonly host: string | null;
	readonly endpoints: NodeEndpoints;
	readonly load: NodeLoad;
};

export type NodeHeartbeatOptions = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly id: string;
	readonly key: NodeKey;
	readonly version: string;
	readonly intervalMs: number;
	/** The functions of this node are its control plane: it registers itself. */
	readonly registersItself: boolean;
	/** Must not throw. */
	readonly facts: () => HeartbeatFacts;
	/** The live streams, by name. Must not throw. */
	readonly streams: () => readonly NodeStream[];
};

export class NodeHeartbeat implements AsyncDisposable {
	readonly #options: NodeHeartbeatOptions;
	readonly #startedMs: number;
	readonly #stop = new AbortController();
	#sequence = 0;
	#draining = false;
	#registrationEtag = "";
	/** What the bucket is known to have. */
	#saidStreams: { readonly text: string; readonly hash: string } | null = null;
	#isAway = false;
	#isStranger = false;
	#run: Promise<void> = Promise.resolve();
	#closing: Promise<void> | null = null;

	private constructor(options: NodeHeartbeatOptions) {
		this.#options = options;
		this.#startedMs = options.clock.now();
	}

	/** Begins at once, and returns without waiting for the bucket. */
	static open(options: NodeHeartbeatOptions): NodeHeartbeat {
		const heartbeat = new NodeHeartbeat(options);
		heartbeat.#run = heartbeat.#beatOn();
		return heartbeat;
	}

	/** Somebody asked the node to take no new streams. */
	get draining(): boolean {
		return this.#draining;
	}

	/** Stops, and takes the node off the list if the bucket answers in time. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		const { store, clock, log, id } = this.#options;
		this.#stop.abort(abortedError());
		await this.#run;
		try {
			await within(clock, LAST_WORD_MS, (signal) =>
				store.delete([nodeHeartbeatKey(id), nodeStreamsKey(id)], { signal }),
			);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			log.info({ code: error.code }, "The bucket was not told that the node stops; it is off the list in 15 seconds");
		}
	}

	async #beatOn(): Promise<void> {
		const { clock, intervalMs } = this.#options;
		const { signal } = this.#stop;
		let dueMs = clock.monotonic();
		while (!signal.aborted) {
			await this.#beat(signal);
			// What is late is not made up for.
			dueMs = Math.max(dueMs + intervalMs, clock.monotonic());
			// Ends the wait, not the loop's owner: the signal is the only reason for it to fail.
			await clock.sleep(dueMs - clock.monotonic(), signal).catch(() => undefined);
		}
	}

	/** Writes one heartbeat, and reads what is registered. Never fails. */
	async #beat(stop: AbortSignal): Promise<void> {
		const { clock, log } = this.#options;
		try {
			await within(clock, BEAT_TIMEOUT_MS, (signal) => this.#write(signal), stop);
			await within(clock, BEAT_TIMEOUT_MS, (signal) => this.#readRegistration(signal), stop);
			if (this.#isAway) log.info("Heartbeats reach the bucket again");
			this.#isAway = false;
		} catch (error) {
			if (stop.aborted) return;
			const fields = error instanceof SluiceError ? { code: error.code, err: error } : { err: error };
			if (!this.#isAway) {
				log.warn(fields, "Heartbeats do not reach the bucket: soon no clients are sent here. What runs goes on");
			}
			this.#isAway = true;
		}
	}

	async #write(signal: AbortSignal): Promise<void> {
		const { store, clock, id, key, version, facts } = this.#options;
		const { region, host, endpoints, load } = facts();
		const streams = await this.#writeStreams(signal);
		const heartbeat: Heartbeat = {
			v: 1,
			id,
			sequence: ++this.#sequence,
			writtenMs: clock.now(),
			startedMs: this.#startedMs,
			version,
			region,
			state: this.#draining ? "draining" : "active",
			host,
			endpoints,
			load,
			streams,
		};
		const text = await signHeartbeat(heartbeat, key);
		await store.put(nodeHeartbeatKey(id), text, { contentType: "application/jose", signal });
	}

	/** Before the heartbeat, which has the hash. Nothing is written that the bucket has. */
	async #writeStreams(signal: AbortSignal): Promise<string | null> {
		const { store, id, streams } = this.#options;
		const live = streams();
		if (live.length === 0) return null;
		const text = JSON.stringify({ v: 1, id, streams: [...live] } satisfies NodeStreams);
		if (this.#saidStreams?.text === text) return this.#saidStreams.hash;
		// If the write fails, nobody knows what is there.
		this.#saidStreams = null;
		const hash = await nodeStreamsHash(text);
		await store.put(nodeStreamsKey(id), text, { contentType: "application/json", signal });
		this.#saidStreams = { text, hash };
		return hash;
	}

	async #readRegistration(signal: AbortSignal): Promise<void> {
		const { store, id } = this.#options;
		const object = await store.getIfChanged(nodeRegistrationKey(id), this.#registrationEtag, { signal });
		if (object === "unchanged") return;
		const registration = object === null ? null : await parseRegistration(object);
		this.#registrationEtag = object?.etag ?? "";
		await this.#heard(registration, signal);
	}

	async #heard(registration: Registration | null, signal: AbortSignal): Promise<void> {
		const { log, id, key, registersItself } = this.#options;
		const isOurs = registration?.key.x === key.x && registration.key.y === key.y;
		if (!isOurs && registersItself) return this.#register(signal);
		if (!isOurs && !this.#isStranger) {
			log.warn(`Node ${id} has not joined with this key, so no clients are sent here; \`sluice join\` lets it`);
		}
		if (isOurs && this.#isStranger) log.info(`Node ${id} has joined`);
		this.#isStranger = !isOurs;
		const draining = isOurs && registration.draining;
		if (draining === this.#draining) return;
		this.#draining = draining;
		log.info(draining ? "The node drains: it takes no new streams" : "The node takes new streams again");
	}

	async #register(signal: AbortSignal): Promise<void> {
		const { store, clock, id, key } = this.#options;
		const registration: Registration = {
			v: 1,
			id,
			key: publicNodeKey(key),
			joinedMs: clock.now(),
			draining: this.#draining,
		};
		const text = JSON.stringify(registration);
		await store.put(nodeRegistrationKey(id), text, { contentType: "application/json", signal });
	}
}
