import type { ObjectStore } from "#shared/store/object-store.ts";

export type StoreMethod = keyof ObjectStore;
export type StoreOperation = { readonly method: StoreMethod; readonly key: string };

/** What goes wrong with one operation of a {@link MemoryStore}. An empty object: nothing. */
export type Fault = {
	/** How long the request is on its way before it takes effect, in milliseconds. */
	readonly beforeMs?: number;
	/** How long the answer is on its way, in milliseconds. */
	readonly afterMs?: number;
	/** The error that the caller gets in place of the answer. */
	readonly fails?: FaultCode;
	/** The operation took effect, and only its answer was lost. Without this it did not. */
	readonly tookEffect?: boolean;
};

export type FaultCode =
	| "store.unavailable"
	| "store.throttled"
	| "store.conflict"
	| "store.precondition"
	| "store.refused"
	| "aborted";

/** Decides, for each operation in the order of their calls, what goes wrong with it. */
export interface FaultPlan {
	next(operation: StoreOperation): Fault;
}

export const NO_FAULT: Fault = {};
export const NO_FAULTS: FaultPlan = { next: () => NO_FAULT };

/** How likely each fault is, from 0 to 1; all of them together at most 1. */
export type FaultProbabilities = {
	/** `store.unavailable`, and nothing happened. */
	readonly lostRequest?: number;
	/** `store.unavailable`, though it happened. */
	readonly lostResponse?: number;
	readonly throttled?: number;
	/** `store.conflict`. Conditional writes only, as in S3. */
	readonly conflict?: number;
	/** `store.precondition` though the condition may hold. Conditional writes only; no real store does it of itself. */
	readonly precondition?: number;
	/** `aborted`; as often as not it happened. */
	readonly aborted?: number;
	/** Each way of each operation takes a random time from 0 to this, in whole milliseconds. */
	readonly maxLatencyMs?: number;
};

/**
 * Faults by chance. The same seed and the same operations give the same faults: with a clock that a test moves, the
 * seed settles how concurrent operations interleave.
 */
export function seededFaults(seed: number, probabilities: FaultProbabilities): FaultPlan {
	const {
		lostRequest = 0,
		lostResponse = 0,
		throttled = 0,
		conflict = 0,
		precondition = 0,
		aborted = 0,
	} = probabilities;
	const { maxLatencyMs = 0 } = probabilities;
	const chances = [lostRequest, lostResponse, throttled, conflict, precondition, aborted];
	if (chances.some((p) => !(p >= 0)) || chances.reduce((sum, p) => sum + p, 0) > 1) {
		throw new RangeError("Cannot plan faults: probabilities must be at least 0, and together at most 1");
	}
	const random = seededRandom(seed);
	return {
		next({ method }) {
			// Always the same number of draws, so that a change of one probability leaves the latencies as they were.
			const beforeMs = Math.floor(random() * (maxLatencyMs + 1));
			const afterMs = Math.floor(random() * (maxLatencyMs + 1));
			const coin = random() < 0.5;
			let draw = random();
			const hits = (probability: number) => {
				draw -= probability;
				return draw < 0;
			};
			const isConditional = method === "putIfAbsent" || method === "putIfMatch";
			if (hits(lostRequest)) return { beforeMs, afterMs, fails: "store.unavailable" };
			if (hits(lostResponse)) return { beforeMs, afterMs, fails: "store.unavailable", tookEffect: true };
			if (hits(throttled)) return { beforeMs, afterMs, fails: "store.throttled" };
			if (hits(aborted)) return { beforeMs, afterMs, fails: "aborted", tookEffect: coin };
			if (hits(conflict) && isConditional) return { beforeMs, afterMs, fails: "store.conflict" };
			if (hits(precondition) && isConditional) return { beforeMs, afterMs, fails: "store.precondition" };
			return { beforeMs, afterMs };
		},
	};
}

/** A fault, and which operation it is for: the next one, if nothing else is said. */
export type ScriptedFault = Fault & { readonly method?: StoreMethod; readonly key?: string };

export type FaultScript = FaultPlan & {
	/** What no operation has met yet: empty at the end of a test that did what its script says. */
	readonly remaining: readonly ScriptedFault[];
};

/** Faults by script: each operation meets the first remaining one that is for it. After the last, nothing goes wrong. */
export function scriptedFaults(script: readonly ScriptedFault[]): FaultScript {
	const remaining = [...script];
	return {
		remaining,
		next(operation) {
			const at = remaining.findIndex(
				({ method, key }) =>
					(method === undefined || method === operation.method) && (key === undefined || key === operation.key),
			);
			return (at === -1 ? undefined : remaining.splice(at, 1)[0]) ?? NO_FAULT;
		},
	};
}

/** A small, fast generator of numbers from 0 up to 1 (mulberry32). Not for secrets. */
export function seededRandom(seed: number): () => number {
	let state = seed | 0;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
