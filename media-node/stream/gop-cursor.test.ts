import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingPacketSink } from "../../test/support/rtp-stream.ts";
import { CATCH_UP_TICK_MS, GopCursor, KEY_FRAME_WAIT_MS, MAX_BEHIND_BYTES } from "./gop-cursor.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import type { SenderReport } from "./sink.ts";

const REPORT: SenderReport = { wallclockMs: 1, rtpTime: 2, ssrc: 3, packets: 4, octets: 5 };

function batchAt(arrivalMs: number, randomAccess = false, size = 100): RtpBatch {
	return { bytes: new Uint8Array(size), packets: [0, 4, size - 4], randomAccess, arrivalMs };
}

/** A cursor that has the last `pastMs` in batches of 40 ms, and a sink that notes when it gets what. */
function behind(pastMs: number) {
	const clock = new FakeClock();
	const start = clock.now();
	const given: { atMs: number; mediaMs: number }[] = [];
	const order: string[] = [];
	const sink = new RecordingPacketSink();
	sink.push = (batch) => {
		order.push(`${batch.arrivalMs - start}`);
		given.push({ atMs: clock.monotonic(), mediaMs: batch.arrivalMs - start });
	};
	sink.senderReport = () => void order.push("report");
	sink.end = () => void order.push("end");
	const batches: RtpBatch[] = [];
	for (let ms = -pastMs; ms < 0; ms += 40) batches.push(batchAt(start + ms, ms === -pastMs));
	const cursor: GopCursor = new GopCursor({ sink, batches, clock, onDue: () => cursor.drain() });
	const live = (randomAccess = false, size = 100) => cursor.push(batchAt(clock.now(), randomAccess, size));
	return { clock, cursor, sink, batches, given, order, live };
}

describe("GopCursor", () => {
	it("gives nothing at once, then the past four times as fast as it came, and then what comes", async () => {
		const { clock, cursor, given, live } = behind(3000);
		expect(given).toEqual([]);
		for (let ms = 0; ms < 2000; ms += 40) {
			live();
			await clock.advance(40);
		}
		expect(cursor.isLive).toBe(true);
		expect(clock.pending).toBe(0);
		expect(given.map(({ mediaMs }) => mediaMs)).toEqual(given.map((_, i) => -3000 + 40 * i));
		const pace = given.map(({ atMs, mediaMs }) => mediaMs + 3000 - 4 * atMs);
		expect(Math.max(...pace)).toBeLessThanOrEqual(0);
		// 3 s are made up for at three times real time.
		const caughtUpMs = given.find(({ atMs, mediaMs }) => mediaMs === atMs)?.atMs;
		expect(caughtUpMs).toBeGreaterThanOrEqual(1000);
		expect(caughtUpMs).toBeLessThanOrEqual(1100);
	});

	it("has one timer, and lets it fire at most every 10 ms", async () => {
		const { clock, given } = behind(400);
		let before = clock.monotonic();
		await clock.advance(0);
		expect(given).toHaveLength(1);
		while (clock.pending > 0) {
			expect(clock.pending).toBe(1);
			await clock.advance((clock.nextAt ?? 0) - clock.now());
			expect(clock.monotonic() - before).toBeGreaterThanOrEqual(CATCH_UP_TICK_MS);
			before = clock.monotonic();
		}
		expect(given).toHaveLength(10);
	});

	it("gives no burst after the process stood still", async () => {
		const { clock, given, cursor } = behind(4000);
		await clock.advance(0);
		// The timer fires 500 ms late.
		clock.after = (ms: number, run: () => void) => FakeClock.prototype.after.call(clock, ms + 500, run);
		await clock.advance(10);
		await clock.advance(510);
		expect(given.length).toBeLessThanOrEqual(4);
		cursor[Symbol.dispose]();
	});

	it("keeps reports and the end in order", async () => {
		const { clock, cursor, order, live } = behind(80);
		cursor.senderReport(0, REPORT);
		live();
		cursor.senderReport(1, REPORT);
		await clock.advance(100);
		cursor.senderReport(0, REPORT);
		live();
		cursor.end(new GoneError("stream.ended", "over"));
		expect(order).toEqual(["-80", "-40", "report", "0", "report", "report", "100", "end"]);
	});

	it("is over at once when the stream is, and gives nothing of the past any more", async () => {
		const { clock, cursor, order } = behind(1000);
		await clock.advance(20);
		cursor.end(new GoneError("stream.ended", "over"));
		expect(clock.pending).toBe(0);
		await clock.advance(1000);
		expect(order.slice(-2)).toEqual([expect.stringMatching(/^-/), "end"]);
	});

	it("has no timer after it was disposed, also by its own sink", async () => {
		const one = behind(1000);
		one.cursor[Symbol.dispose]();
		expect(one.clock.pending).toBe(0);
		const other = behind(1000);
		other.sink.push = () => {
			other.order.push("got");
			other.cursor[Symbol.dispose]();
		};
		await other.clock.advance(1000);
		expect(other.order).toEqual(["got"]);
		expect(other.clock.pending).toBe(0);
	});

	it("drops to the next key frame when too much waits", async () => {
		const { clock, cursor, order, live } = behind(4000);
		await clock.advance(0);
		live(false, MAX_BEHIND_BYTES);
		expect(clock.pending).toBe(0);
		await clock.advance(100);
		live();
		live(true);
		live();
		expect(order).toEqual(["-4000", "100", "100"]);
		expect(cursor.isLive).toBe(true);
	});

	it("goes on anywhere when no key frame comes for long", async () => {
		const { clock, order, live } = behind(4000);
		live(false, MAX_BEHIND_BYTES);
		await clock.advance(KEY_FRAME_WAIT_MS - 1);
		live();
		expect(order).toEqual([]);
		await clock.advance(1);
		live();
		expect(order).toEqual([`${KEY_FRAME_WAIT_MS}`]);
	});

	it.each([-3_600_000, 3_600_000])("comes to its end when the wall clock was set by %d ms meanwhile", async (setMs) => {
		const { clock, cursor, given } = behind(400);
		for (let ms = 0; ms < 4000; ms += 40) {
			cursor.push(batchAt(clock.now() + setMs));
			await clock.advance(40);
		}
		expect(cursor.isLive).toBe(true);
		expect(given).toHaveLength(110);
	});
});
