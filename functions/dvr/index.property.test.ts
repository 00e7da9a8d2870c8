import { afterAll, beforeAll, expect, test } from "vitest";
import { IndexWorld } from "../../test/support/index-world.ts";
import { instantDigest } from "../../test/support/instant-digest.ts";
import { simulateAll } from "../../test/support/simulation.ts";

const SCHEDULES = Number(process.env["INDEX_SCHEDULES"] ?? 24);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);

const digest = instantDigest();
const { stackTraceLimit } = Error;
beforeAll(() => {
	if (SCHEDULES > 1) Error.stackTraceLimit = 0;
});
afterAll(() => {
	digest[Symbol.dispose]();
	Error.stackTraceLimit = stackTraceLimit;
});

test(
	`index and records give each committed segment once and in order, over ${SCHEDULES} schedules`,
	async () => {
		const total = { commits: 0, owners: 0, views: 0, segments: 0, hours: 0, swept: 0 };
		await simulateAll(SCHEDULES, 32, (index) => {
			const seed = SEED + index;
			const again = (cause: unknown) =>
				new Error(`${String(cause)} (again with FUZZ_SEED=${seed} INDEX_SCHEDULES=1)`, { cause });
			const world = new IndexWorld(seed);
			return {
				step: () => {
					try {
						return world.step();
					} catch (error) {
						throw again(error);
					}
				},
				finish: async () => {
					await world.finish().catch((error: unknown) => {
						throw again(error);
					});
					for (const figure of Object.keys(total) as (keyof typeof total)[]) total[figure] += world.figures[figure];
				},
			};
		});
		console.log(`index: ${JSON.stringify(total)}, seeds ${SEED} to ${SEED + SCHEDULES - 1}`);
		expect(total.views).toBeGreaterThan(SCHEDULES);
		expect(total.owners).toBeGreaterThan(SCHEDULES);
		if (SCHEDULES >= 20) expect(total.swept).toBeGreaterThan(SCHEDULES);
	},
	60_000 + SCHEDULES * 400,
);
