import { describe, expect, it } from "vitest";
import { THUMBNAIL_SUBJECT } from "#shared/access/thumbnail-subject.ts";
import { parsePathName } from "#shared/path-name.ts";
import { addCounters, type Counters, noCounters } from "#shared/usage/counters.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Served } from "./served.ts";

const CAM = parsePathName("cam/1");

function world() {
	const clock = new FakeClock();
	const counted: Counters = noCounters();
	const served = new Served(clock, { add: (_, more) => addCounters(counted, more) });
	return { clock, served, counted };
}

const by = (address: string, token: string, subject = "") => ({ address, token, subject });

describe("what an instance serves", () => {
	it("has as many viewers as there are tokens and addresses that asked within half a minute", async () => {
		const { clock, served } = world();
		for (let i = 0; i < 5; i++) served.seen(CAM, by("192.0.2.1", `token-${i}`));
		served.seen(CAM, by("192.0.2.2", "token-0"));
		served.seen(CAM, by("192.0.2.2", "token-0"));
		served.seen(parsePathName("cam/2"), by("192.0.2.2", "token-0"));
		expect(served.viewersOf(CAM)).toBe(6);
		await clock.advance(20_000);
		served.seen(CAM, by("192.0.2.1", "token-3"));
		await clock.advance(10_000);
		expect(served.viewersOf(CAM)).toBe(1);
		await clock.advance(20_000);
		expect(served.viewersOf(CAM)).toBe(0);
	});

	it("does not take the console's small pictures for viewers", async () => {
		const { clock, served, counted } = world();
		for (let i = 0; i <= 3; i++) {
			served.seen(CAM, by("192.0.2.1", "a", THUMBNAIL_SUBJECT));
			await clock.advance(2_000);
		}
		expect([served.viewersOf(CAM), counted.viewerSeconds]).toEqual([0, 0]);
		served.seen(CAM, by("192.0.2.1", "b", "console"));
		expect(served.viewersOf(CAM)).toBe(1);
	});

	it("has them watch from one playlist to the next, and not while they are away", async () => {
		const { clock, served, counted } = world();
		for (let i = 0; i <= 30; i++) {
			served.seen(CAM, by("192.0.2.1", "a"));
			await clock.advance(2_000);
		}
		// The last two seconds are not over for sure.
		expect(counted.viewerSeconds).toBe(60);
		await clock.advance(300_000);
		served.seen(CAM, by("192.0.2.1", "a"));
		expect(counted.viewerSeconds).toBe(60);
	});

	it("does not count a player of video and sound twice, which asks for two playlists", async () => {
		const { clock, served, counted } = world();
		for (let i = 0; i <= 5; i++) {
			served.seen(CAM, by("192.0.2.1", "a"));
			served.seen(CAM, by("192.0.2.1", "a"));
			await clock.advance(2_000);
		}
		expect(counted.viewerSeconds).toBe(10);
		expect(served.viewersOf(CAM)).toBe(1);
	});

	it("remembers a bounded number of viewers, and has room again when they have left", async () => {
		const { clock, served } = world();
		for (let i = 0; i < 110_000; i++) served.seen(CAM, by(`192.0.2.${i}`, "a"));
		const most = served.viewersOf(CAM);
		// Some hashes meet.
		expect(most).toBeGreaterThan(99_000);
		expect(most).toBeLessThanOrEqual(100_000);
		await clock.advance(30_000);
		served.seen(parsePathName("other"), by("192.0.2.1", "a"));
		expect(served.viewersOf(parsePathName("other"))).toBe(1);
	});

	it("counts playlists, segments and their bytes", () => {
		const { served, counted } = world();
		served.playlist(CAM, 700);
		served.segment(CAM, 1_000_000);
		expect(counted).toMatchObject({ playlists: 1, segments: 1, bytesServed: 1_000_700 });
	});
});
