import { describe, expect, test } from "vitest";
import {
	firstZoom,
	fractionOf,
	momentAt,
	nearestPlayable,
	reaching,
	stepAlong,
	ticksOf,
	viewOf,
	visibleIn,
} from "./timeline-scale.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 4, 6, 12, 34, 56);
const RECORDINGS = [
	{ startMs: NOW - 5 * HOUR, endMs: NOW - 4 * HOUR },
	{ startMs: NOW - HOUR, endMs: NOW },
];

describe("viewOf", () => {
	test("ends now while the moment in its middle is recent", () => {
		expect(viewOf("hour", NOW, NOW, RECORDINGS)).toEqual({ startMs: NOW - HOUR, endMs: NOW });
	});

	test("has the moment in its middle when it is long ago", () => {
		expect(viewOf("hour", NOW - 4 * HOUR, NOW, RECORDINGS)).toEqual({
			startMs: NOW - 4.5 * HOUR,
			endMs: NOW - 3.5 * HOUR,
		});
	});

	test("shows all from the first recording on, and never less than a minute", () => {
		expect(viewOf("all", NOW, NOW, RECORDINGS)).toEqual({ startMs: NOW - 5 * HOUR, endMs: NOW });
		const just = viewOf("all", NOW, NOW, [{ startMs: NOW - 1000, endMs: NOW }]);
		expect(just).toEqual({ startMs: NOW - MINUTE, endMs: NOW });
	});

	test("is as long when the first recording is a segment younger", () => {
		const [long, short] = [80_000, 76_000].map((ago) => viewOf("all", NOW, NOW, [{ startMs: NOW - ago, endMs: NOW }]));
		expect(long).toEqual(short);
	});
});

describe("firstZoom", () => {
	test.each([
		["all", "a minute is kept", MINUTE, NOW - MINUTE],
		["minutes", "the stream has just begun", 24 * HOUR, NOW - MINUTE],
		["minutes", "nothing is known of what is kept", null, NOW - MINUTE],
		["hour", "more than ten minutes were recorded", 24 * HOUR, NOW - 11 * MINUTE],
	] as const)("is %s when %s", (zoom, _when, retentionMs, startMs) => {
		expect(firstZoom([{ startMs, endMs: NOW }], NOW, retentionMs)).toBe(zoom);
	});

	test("is minutes without recordings", () => {
		expect(firstZoom([], NOW, null)).toBe("minutes");
	});
});

test("a moment goes to a fraction of the view and back", () => {
	const view = { startMs: NOW - HOUR, endMs: NOW };
	expect(fractionOf(view, NOW - HOUR / 4)).toBe(0.75);
	expect(momentAt(view, 0.75)).toBe(NOW - HOUR / 4);
	expect(momentAt(view, -3)).toBe(view.startMs);
	expect(momentAt(view, 3)).toBe(NOW);
});

test("spans are cut at the ends of the view, and left out beyond them", () => {
	const view = { startMs: NOW - 4.5 * HOUR, endMs: NOW - 3.5 * HOUR };
	expect(visibleIn(view, RECORDINGS)).toEqual([{ span: RECORDINGS[0], left: 0, width: 0.5 }]);
});

describe("reaching", () => {
	test("goes to what plays, when that is a little newer than what is known", () => {
		expect(reaching(RECORDINGS, NOW + 8_000).at(-1)).toEqual({ startMs: NOW - HOUR, endMs: NOW + 8_000 });
	});

	test.each([null, NOW - 1, NOW + MINUTE])("is what is known when %s plays", (atMs) => {
		expect(reaching(RECORDINGS, atMs)).toBe(RECORDINGS);
	});

	test("is nothing without recordings", () => {
		expect(reaching([], NOW)).toEqual([]);
	});
});

describe("nearestPlayable", () => {
	test("keeps a moment that can be played", () => {
		expect(nearestPlayable(RECORDINGS, NOW - 4.5 * HOUR)).toBe(NOW - 4.5 * HOUR);
	});

	test("goes to the nearer end of a gap", () => {
		expect(nearestPlayable(RECORDINGS, NOW - 3.5 * HOUR)).toBe(NOW - 4 * HOUR);
		expect(nearestPlayable(RECORDINGS, NOW - 1.5 * HOUR)).toBe(NOW - HOUR);
	});

	test("is nothing without recordings", () => {
		expect(nearestPlayable([], NOW)).toBeNull();
	});
});

describe("stepAlong", () => {
	test("goes on within a stretch", () => {
		expect(stepAlong(RECORDINGS, NOW - 30 * MINUTE, -10_000)).toBe(NOW - 30 * MINUTE - 10_000);
	});

	test("goes over a gap in both directions", () => {
		expect(stepAlong(RECORDINGS, NOW - 4 * HOUR, 10_000)).toBe(NOW - HOUR);
		expect(stepAlong(RECORDINGS, NOW - HOUR, -10_000)).toBe(NOW - 4 * HOUR);
	});

	test("stays at both ends", () => {
		expect(stepAlong(RECORDINGS, NOW, MINUTE)).toBe(NOW);
		expect(stepAlong(RECORDINGS, NOW - 5 * HOUR, -MINUTE)).toBe(NOW - 5 * HOUR);
		expect(stepAlong([], NOW, MINUTE)).toBeNull();
	});
});

describe("ticksOf", () => {
	test("stand at round moments of the local clock", () => {
		const india = 5.5 * HOUR;
		const ticks = ticksOf({ startMs: NOW - 24 * HOUR, endMs: NOW }, 8, india);
		expect(ticks.length).toBeGreaterThan(3);
		for (const at of ticks) expect((at + india) % (3 * HOUR)).toBe(0);
	});

	test.each([10_000, HOUR, 24 * HOUR, 40 * 24 * HOUR, 4000 * 24 * HOUR])(
		"are at most as many as asked for in %d ms",
		(length) => {
			for (const most of [2, 5, 12]) {
				const ticks = ticksOf({ startMs: NOW - length, endMs: NOW }, most, 0);
				expect(ticks.length).toBeLessThanOrEqual(most);
				expect(ticks.every((at) => at >= NOW - length && at <= NOW)).toBe(true);
			}
		},
	);
});
