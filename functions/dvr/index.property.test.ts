import { expect, test } from "vitest";
import { IndexWorld } from "../../test/support/index-world.ts";
import { simulatedWorlds } from "../../test/support/simulated-worlds.ts";

const worlds = simulatedWorlds("INDEX_SCHEDULES", 24);
const { schedules, seeds } = worlds;

test(
	`index and records give each committed segment once and in order, over ${schedules} schedules`,
	async () => {
		const total = await worlds.run((seed) => new IndexWorld(seed));
		console.log(`index: ${JSON.stringify(total)}, ${seeds}`);
		expect(total.views).toBeGreaterThan(schedules);
		expect(total.owners).toBeGreaterThan(schedules);
		if (schedules >= 20) expect(total.swept).toBeGreaterThan(schedules);
	},
	60_000 + schedules * 400,
);
