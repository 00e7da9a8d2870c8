import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { CATCH_UP_SPEED, CATCH_UP_TICK_MS } from "../../media-node/stream/gop-cursor.ts";
import type { RtpBatch } from "../../media-node/stream/rtp-batch.ts";
import { Stream } from "../../media-node/stream/stream.ts";
import { FakeClock } from "../support/fake-clock.ts";
import {
	AAC_TRACK,
	Camera,
	H264_TRACK,
	nal,
	packetsOf,
	RecordingPacketSink,
	recordingLogger,
} from "../support/rtp-stream.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20260103);
const RUNS = 200;

/** Notes when it got what. */
class TimedSink extends RecordingPacketSink {
	readonly atMs: number[] = [];
	readonly #clock: FakeClock;
	/** What came before it did. */
	readonly before: number;
	/** Where it was told that its first packets would be. */
	readonly positions: readonly ({ sequence: number; rtpTime: number } | null)[];
	constructor(clock: FakeClock, before: number, positions: TimedSink["positions"]) {
		super();
		this.#clock = clock;
		this.before = before;
		this.positions = positions;
	}
	override push(batch: RtpBatch): void {
		super.push(batch);
		this.atMs.push(this.#clock.now());
	}
}

const step = fc.oneof(
	{ weight: 3, arbitrary: fc.record({ do: fc.constant("key" as const) }) },
	{
		weight: 20,
		arbitrary: fc.record({ do: fc.constant("picture" as const), size: fc.integer({ min: 2, max: 3000 }) }),
	},
	{ weight: 20, arbitrary: fc.record({ do: fc.constant("sound" as const) }) },
	{
		weight: 20,
		arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 7, 20, 40, 40, 700) }),
	},
	{ weight: 4, arbitrary: fc.record({ do: fc.constant("join" as const) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const) }) },
);

test("what a reader gets is one run without a gap, from a key frame on, whenever it joins", async () => {
	const seen = { fromCache: 0, live: 0 };
	await fc.assert(
		fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 300, size: "max" }), async (steps) => {
			const clock = new FakeClock();
			const config = { ...DEFAULT_PATH_CONFIG, rtspGOPCache: true };
			const stream = new Stream({ path: parsePathName("cam01"), config, clock, log: recordingLogger() });
			const publisher = { id: "p", protocol: "fuzz", remoteAddress: "-" };
			const tracks = [H264_TRACK, AAC_TRACK];
			const request = { path: stream.path, tracks, publisher, onEvicted: () => undefined };
			const camera = new Camera(
				stream.publish(request, () => undefined),
				{ sequence: 65_000 },
			);
			// Begins before the first key frame, when nothing is in the cache, and so gets all as it comes.
			const all = new RecordingPacketSink();
			stream.readPackets(all);
			const readers: { readonly sink: TimedSink; readonly seat: Disposable; left: boolean }[] = [];
			const ticks = (clockRate: number) => Math.round((clock.monotonic() * clockRate) / 1000) + all.batches.length;
			let sounds = 65_500;
			for (const it of steps) {
				if (it.do === "key") camera.key(ticks(90_000));
				else if (it.do === "picture") camera.video(ticks(90_000), nal(1, it.size));
				else if (it.do === "sound") camera.audio(sounds++ & 0xffff, ticks(48_000));
				else if (it.do === "wait") await clock.advance(it.ms);
				else if (it.do === "join") {
					const asked = stream.reading();
					const sink = new TimedSink(clock, all.batches.length, [asked.position(0), asked.position(1)]);
					readers.push({ sink, seat: asked.readPackets(sink), left: false });
				} else {
					const reader = readers.at(-1);
					reader?.seat[Symbol.dispose]();
					if (reader !== undefined) reader.left = true;
				}
			}
			await clock.advance(20_000);
			expect(clock.pending).toBe(0);

			for (const { sink, left } of readers) {
				const [first] = sink.batches;
				if (first === undefined) continue;
				const from = all.batches.indexOf(first);
				const to = left ? from + sink.batches.length : all.batches.length;
				const expected = all.batches.slice(from, to);
				expect(sink.batches.length).toBe(expected.length);
				expect(sink.batches.every((batch, i) => batch === expected[i])).toBe(true);
				const isPast = from < sink.before;
				seen[isPast ? "fromCache" : "live"]++;
				if (isPast) expect(first.randomAccess).toBe(true);
				else expect(from).toBe(sink.before);

				// What it was told before holds.
				const packets = expected.flatMap(packetsOf);
				for (const [track, position] of sink.positions.entries()) {
					const packet = packets.find((other) => other.track === track);
					if (packet === undefined || position === null) continue;
					expect(packet.sequence).toBe(position.sequence);
					if (isPast && track === 0) expect(packet.timestamp).toBe(position.rtpTime);
				}
				// The past is never given faster than is allowed, but for what one tick of the timer may bring.
				for (let i = 0; i < expected.length; i++) {
					if (sink.atMs[i] === expected[i]?.arrivalMs) continue;
					const mediaMs = (expected[i]?.arrivalMs ?? 0) - first.arrivalMs;
					const passedMs = (sink.atMs[i] ?? 0) - (sink.atMs[0] ?? 0);
					expect(mediaMs).toBeLessThanOrEqual(CATCH_UP_SPEED * (passedMs + CATCH_UP_TICK_MS));
				}
			}
		}),
		{ seed: SEED, numRuns: RUNS },
	);
	// Readers of both kinds were there.
	expect(seen.fromCache).toBeGreaterThan(RUNS);
	expect(seen.live).toBeGreaterThan(RUNS / 10);
});
