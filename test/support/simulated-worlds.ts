/** Property tests over many simulated worlds, a seed each; what fails says how to see that one again. */

import { afterAll, beforeAll } from "vitest";
import { instantDigest } from "./instant-digest.ts";
import { simulateAll } from "./simulation.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** Side by side. */
const AT_ONCE = 32;

type World<F> = { readonly figures: F; step(): boolean; finish(): Promise<void> };

export type SimulatedWorlds = {
	/** How many: what the environment variable says, or as many as are usual. */
	readonly schedules: number;
	/** For the log. */
	readonly seeds: string;
	/** Runs all of them to their end. Says the sum of each of their figures. */
	run<F extends Record<keyof F, number>>(begin: (seed: number) => World<F>): Promise<F>;
};

/** To be called by the test file itself: prepares for what all of its worlds need, and takes that back at the end. */
export function simulatedWorlds(variable: string, usual: number): SimulatedWorlds {
	const schedules = Number(process.env[variable] ?? usual);
	const digest = instantDigest();
	// Planned faults are many: their stacks would cost as much as all the rest.
	const { stackTraceLimit } = Error;
	beforeAll(() => {
		if (schedules > 1) Error.stackTraceLimit = 0;
	});
	afterAll(() => {
		digest[Symbol.dispose]();
		Error.stackTraceLimit = stackTraceLimit;
	});

	const brokenAt = (seed: number, cause: unknown) => {
		const what = cause instanceof Error ? cause.message : String(cause);
		return new Error(`${what} (again with FUZZ_SEED=${seed} ${variable}=1)`, { cause });
	};
	const atSeed = <T>(seed: number, act: () => T): T => {
		try {
			return act();
		} catch (error) {
			throw brokenAt(seed, error);
		}
	};
	return {
		schedules,
		seeds: `seeds ${SEED} to ${SEED + schedules - 1}`,
		async run<F extends Record<keyof F, number>>(begin: (seed: number) => World<F>): Promise<F> {
			const figures: F[] = [];
			await simulateAll(schedules, AT_ONCE, (index) => {
				const seed = SEED + index;
				const world = atSeed(seed, () => begin(seed));
				return {
					step: () => atSeed(seed, () => world.step()),
					finish: async () => {
						await world.finish().catch((error: unknown) => {
							throw brokenAt(seed, error);
						});
						figures.push(world.figures);
					},
				};
			});
			return figures.reduce(summed);
		},
	};
}

function summed<F extends Record<keyof F, number>>(a: F, b: F): F {
	const sums = Object.keys(a).map((name) => [name, a[name as keyof F] + b[name as keyof F]]);
	return Object.fromEntries(sums) as F;
}
