import type { Clock } from "#shared/clock.ts";
import { type FaultPlan, NO_FAULT } from "#shared/store/fault-plan.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";

export type FaultyBucket = {
	/** As those see it who live with its faults. */
	readonly store: MemoryStore;
	/** The same bucket, whose answers to what is asked of it here come at once and without a fault: for checks. */
	readonly quiet: ObjectStore;
};

/** A bucket of a simulation. */
export function faultyBucket(clock: Clock, faults: FaultPlan): FaultyBucket {
	let isQuiet = false;
	const plan: FaultPlan = { next: (operation) => (isQuiet ? NO_FAULT : faults.next(operation)) };
	const store = new MemoryStore({ clock, faults: plan });
	const quiet = new Proxy<ObjectStore>(store, {
		get: (target, name) => {
			const method = Reflect.get(target, name, target) as (...args: unknown[]) => unknown;
			return (...args: unknown[]) => {
				isQuiet = true;
				try {
					return Reflect.apply(method, target, args);
				} finally {
					isQuiet = false;
				}
			};
		},
	});
	return { store, quiet };
}

/** @throws Error naming `what` is broken */
export function mustHold(holds: boolean, what: string): void {
	if (!holds) throw new Error(`Broken: ${what}`);
}
