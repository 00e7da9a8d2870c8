import { expect, test } from "vitest";
import { simulatedWorlds } from "../../test/support/simulated-worlds.ts";
import { TimelineWorld } from "../../test/support/timeline-world.ts";

const worlds = simulatedWorlds("TIMELINE_SCHEDULES", 10_000);
const { schedules, seeds } = worlds;

test(
	`nodes that fight for one stream commit each number once, over ${schedules} schedules`,
	async () => {
		const began = performance.now();
		const total = await worlds.run((seed) => new TimelineWorld(seed));
		const seconds = ((performance.now() - began) / 1000).toFixed(1);
		console.log(
			`timeline: ${schedules} schedules, ${total.commits} commits, ${total.fences} fences, ${total.fenced} writers fenced, ` +
				`${total.reads} reads, ${total.swept} segments swept, ${seeds}, ${seconds} s`,
		);
		expect(total.commits).toBeGreaterThan(schedules);
		expect(total.fenced).toBeGreaterThan(schedules / 10);
	},
	60_000 + schedules * 60,
);
