import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("day-of-segments.ts", import.meta.url));
const SEGMENTS = (24 * 3600) / 2;

type Day = {
	pushed: number;
	released: number;
	committed: number;
	lost: number;
	nextSequence: number;
	missing: string[];
	timersLeft: number;
	hourly: { hour: number; heapMb: number; objects: number; spoolItems: number }[];
};

test("24 hours of one stream keep heap and bucket flat, and lose nothing", async () => {
	const began = performance.now();
	const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", PROGRAM]);
	const day = JSON.parse(stdout) as Day;
	const [second, last] = [day.hourly[1]!, day.hourly.at(-1)!];
	console.log(
		`day: ${day.committed} segments, heap ${second.heapMb} MB after hour 2, ${last.heapMb} MB after hour 24; ` +
			`objects ${second.objects} after hour 2, ${last.objects} after hour 24; ` +
			`${((performance.now() - began) / 1000).toFixed(1)} s`,
	);
	expect(day).toMatchObject({
		pushed: SEGMENTS,
		released: SEGMENTS,
		committed: SEGMENTS,
		lost: 0,
		nextSequence: SEGMENTS,
		missing: [],
		timersLeft: 0,
	});
	expect(last.heapMb).toBeLessThan(second.heapMb + 2);
	// Records go each ten minutes of sweeps, which makes a wave: two hours at the same place of it differ by nothing.
	const sameObjects = day.hourly.filter(({ hour, objects }) => hour > 10 && hour < 20 && objects === last.objects);
	expect(sameObjects.length).toBeGreaterThan(0);
	for (const { heapMb } of sameObjects) expect(Math.abs(last.heapMb - heapMb)).toBeLessThan(0.5);
	for (const { objects, spoolItems } of day.hourly.slice(1)) {
		expect(objects).toBeLessThan(second.objects * 1.2);
		expect(spoolItems).toBe(0);
	}
}, 120_000);
