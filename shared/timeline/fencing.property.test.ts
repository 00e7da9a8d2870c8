import { afterAll, beforeAll, expect, test } from "vitest";
import { instantDigest } from "../../test/support/instant-digest.ts";
import { simulateAll } from "../../test/support/simulation.ts";
import { TimelineWorld } from "../../test/support/timeline-world.ts";

const SCHEDULES = Number(process.env["TIMELINE_SCHEDULES"] ?? 10_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);

const digest = instantDigest();

/** A million planned faults: their stacks would cost as much as all the rest. */
const { stackTraceLimit } = Error;
beforeAll(() => {
	if (SCHEDULES > 1) Error.stackTraceLimit = 0;
});
afterAll(() => {
	digest[Symbol.dispose]();
	Error.stackTraceLimit = stackTraceLimit;
});

test(
	`nodes that fight for one stream commit each number once, over ${SCHEDULES} schedules`,
	async () => {
		const began = performance.now();
		const total = { commits: 0, fences: 0, fenced: 0, reads: 0, swept: 0 };
		await simulateAll(SCHEDULES, 32, (index) => {
			const seed = SEED + index;
			const world = atSeed(seed, () => new TimelineWorld(seed));
			return {
				step: () => atSeed(seed, () => world.step()),
				finish: async () => {
					await world.finish().catch((error: unknown) => {
						throw brokenAt(seed, error);
					});
					for (const figure of Object.keys(total) as (keyof typeof total)[]) total[figure] += world.figures[figure];
				},
			};
		});
		const seconds = ((performance.now() - began) / 1000).toFixed(1);
		console.log(
			`timeline: ${SCHEDULES} schedules, ${total.commits} commits, ${total.fences} fences, ${total.fenced} writers fenced, ` +
				`${total.reads} reads, ${total.swept} segments swept, seeds ${SEED} to ${SEED + SCHEDULES - 1}, ${seconds} s`,
		);
		expect(total.commits).toBeGreaterThan(SCHEDULES);
		expect(total.fenced).toBeGreaterThan(SCHEDULES / 10);
	},
	60_000 + SCHEDULES * 60,
);

function atSeed<T>(seed: number, run: () => T): T {
	try {
		return run();
	} catch (error) {
		throw brokenAt(seed, error);
	}
}

function brokenAt(seed: number, cause: unknown): Error {
	const what = cause instanceof Error ? cause.message : String(cause);
	return new Error(`${what} (again with FUZZ_SEED=${seed} TIMELINE_SCHEDULES=1)`, { cause });
}
