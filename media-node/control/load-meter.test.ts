import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { type Flow, LoadMeter } from "./load-meter.ts";

async function readings(...moments: { cpu: [number, number, number]; flows?: Flow[] }[]) {
	const clock = new FakeClock();
	const meter = new LoadMeter({ clock });
	const loads = [];
	for (const { cpu, flows = [] } of moments) {
		const [processMs, busyMs, totalMs] = cpu;
		loads.push(meter.read({ cpu: { processMs, busyMs, totalMs }, streams: 2, readers: 7, flows }));
		await clock.advance(5_000);
	}
	return loads;
}

describe("the load of a node", () => {
	it("is that of the machine or of one core filled by the process, whichever is higher, and 1 at most", async () => {
		const loads = await readings(
			{ cpu: [0, 0, 0] },
			{ cpu: [1_000, 6_000, 20_000] },
			{ cpu: [4_500, 10_000, 40_000] },
			{ cpu: [14_500, 30_000, 60_000] },
		);
		expect(loads.map(({ cpu }) => cpu)).toEqual([0, 0.3, 0.7, 1]);
	});

	it("counts the bytes of each second, of what began meanwhile too, and not what has gone", async () => {
		const flow = (id: string, received: number, sent: number) => ({ id, received, sent });
		const [first, second, third] = await readings(
			{ cpu: [0, 0, 0], flows: [flow("a", 1_000_000, 0)] },
			{ cpu: [0, 0, 1], flows: [flow("a", 1_500_000, 0), flow("b", 0, 50_000)] },
			{ cpu: [0, 0, 2], flows: [flow("b", 0, 60_000)] },
		);
		expect(first).toMatchObject({ bytesInPerSecond: 0, bytesOutPerSecond: 0, streams: 2, readers: 7 });
		expect(second).toMatchObject({ bytesInPerSecond: 100_000, bytesOutPerSecond: 10_000 });
		expect(third).toMatchObject({ bytesInPerSecond: 0, bytesOutPerSecond: 2_000 });
	});
});
