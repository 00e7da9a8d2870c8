import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import { PathConfigs } from "../../media-node/paths/path-configs.ts";
import { PathTable } from "../../media-node/paths/path-table.ts";
import type { Publication } from "../../media-node/stream/publication.ts";
import type { RtpBatch } from "../../media-node/stream/rtp-batch.ts";
import type { PacketSink, UnitSink } from "../../media-node/stream/sink.ts";
import type { Track } from "../../media-node/stream/track.ts";
import type { Unit } from "../../media-node/stream/unit.ts";
import { FakeClock } from "../support/fake-clock.ts";
import {
	AAC_TRACK,
	H264_PPS,
	H264_SPS,
	H264_TRACK,
	nal,
	packetsOf,
	recordingLogger,
	rtpPacket,
} from "../support/rtp-stream.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20260102);
const RUNS = 200;
const PATH = parsePathName("cam01");

const G711_TRACK: Track = {
	index: 1,
	kind: "audio",
	codec: { name: "G711", law: "a", sampleRate: 8000, channels: 1 },
	clockRate: 8000,
	rtp: { payloadType: 8, encoding: "PCMA/8000", fmtp: "" },
};
const GENERIC_TRACK: Track = {
	index: 0,
	kind: "video",
	codec: { name: "Generic" },
	clockRate: 90_000,
	rtp: { payloadType: 98, encoding: "VP8/90000", fmtp: "" },
};
const TRACKS: readonly (readonly Track[])[] = [
	[H264_TRACK, AAC_TRACK],
	[H264_TRACK, G711_TRACK],
	[{ ...H264_TRACK, rtp: { ...H264_TRACK.rtp, payloadType: 120 } }, AAC_TRACK],
	[{ ...AAC_TRACK, index: 0 }],
	[GENERIC_TRACK],
];

/** Throws, once asked to, and notes when it is called out of turn. */
class StrictSink {
	readonly faults: string[] = [];
	calls = 0;
	broken = false;
	#over = false;
	seat: Disposable | null = null;
	leave(): void {
		this.seat?.[Symbol.dispose]();
		this.#over = true;
	}
	protected call(): void {
		this.calls++;
		if (this.#over) this.faults.push("was called after it was over");
		if (this.broken) throw new Error("broken");
	}
	end(_reason: SluiceError): void {
		if (this.#over) this.faults.push("was ended after it was over");
		this.#over = true;
	}
}

class StrictPacketSink extends StrictSink implements PacketSink {
	readonly #ssrcs = new Map<number, number>();
	push(batch: RtpBatch): void {
		this.call();
		if (batch.bytes.buffer.byteLength !== batch.bytes.length) this.faults.push("a batch pins more than itself");
		for (const { track, ssrc } of packetsOf(batch)) {
			if ((this.#ssrcs.get(track) ?? ssrc) !== ssrc) this.faults.push("the SSRC changed");
			this.#ssrcs.set(track, ssrc);
		}
	}
	senderReport(): void {
		this.call();
	}
}

class StrictUnitSink extends StrictSink implements UnitSink {
	#last: number[] | null = null;
	begin(tracks: readonly Track[]): void {
		this.call();
		this.#last = tracks.map(() => Number.NEGATIVE_INFINITY);
	}
	push(unit: Unit): void {
		this.call();
		const { track, dts, pts } = unit;
		const last = this.#last?.[track.index];
		if (this.#last === null || last === undefined) {
			this.faults.push("a unit came before its begin");
			return;
		}
		if (!(dts > last) || !(pts >= dts)) this.faults.push(`time went from ${last} to dts ${dts}, pts ${pts}`);
		if (!Number.isSafeInteger(dts) || !Number.isSafeInteger(pts)) this.faults.push("a time is no whole number");
		if (track.kind === "video" && last === Number.NEGATIVE_INFINITY && !unit.randomAccess) {
			this.faults.push("video did not begin with a key frame");
		}
		this.#last[track.index] = dts;
	}
	pause(): void {
		this.call();
		this.#last = null;
	}
}

const payload = fc.oneof(
	fc.constantFrom(H264_SPS, H264_PPS, nal(5), nal(1), nal(28), Uint8Array.of(0, 16, 0, 16, 1, 2), new Uint8Array(160)),
	fc.uint8Array({ maxLength: 60 }),
);
const step = fc.oneof(
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("publish" as const), tracks: fc.nat(TRACKS.length - 1) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constantFrom("close", "end", "break", "leave") }) },
	{ weight: 3, arbitrary: fc.record({ do: fc.constantFrom("readPackets", "readUnits") }) },
	{
		weight: 3,
		arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 33, 33, 500, 31_000) }),
	},
	{
		weight: 40,
		arbitrary: fc.record({
			do: fc.constant("packet" as const),
			track: fc.integer({ min: -1, max: 2 }),
			jump: fc.constantFrom(0, 1, 1, 1, 1, 3, 40_000),
			ticks: fc.oneof(
				{ weight: 9, arbitrary: fc.constantFrom(0, 3000, 1024, -6000) },
				{ weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }) },
			),
			payload,
			marker: fc.boolean(),
			ssrc: fc.constantFrom(1, 1, 1, 2),
			flush: fc.boolean(),
		}),
	},
	{ weight: 3, arbitrary: fc.record({ do: fc.constant("noise" as const), bytes: fc.uint8Array({ maxLength: 40 }) }) },
	{
		weight: 1,
		arbitrary: fc.record({
			do: fc.constant("report" as const),
			wallclockMs: fc.double({ noNaN: true, min: 0, max: 4e12 }),
			rtpTime: fc.nat(2 ** 32 - 1),
		}),
	},
);

describe("a stream, whatever its publishers send and its readers do", () => {
	it("throws nothing at a publisher, and keeps its word to each reader", async () => {
		const calls = { packets: 0, units: 0 };
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 200, size: "max" }), async (steps) => {
				const clock = new FakeClock();
				const table = new PathTable({
					clock,
					log: recordingLogger(),
					configs: new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths: { all_others: {} } }),
				});
				let publication: Publication | null = null;
				const sinks: (StrictPacketSink | StrictUnitSink)[] = [];
				let sequence = 0;
				let timestamp = 0;
				const start = [
					{ do: "publish" as const, tracks: 0 },
					{ do: "readPackets" as const },
					{ do: "readUnits" as const },
				];
				for (const it of [...start, ...steps]) {
					switch (it.do) {
						case "publish": {
							const publisher = { id: "p", protocol: "fuzz", remoteAddress: "-" };
							const tracks = TRACKS[it.tracks] ?? [];
							publication = await table.publish({ path: PATH, tracks, publisher, onEvicted: () => undefined });
							break;
						}
						case "close":
							publication?.close();
							break;
						case "end":
							table.end(PATH, { code: "stream.ended" } as SluiceError);
							break;
						case "break":
							if (sinks[0] !== undefined) sinks[0].broken = true;
							break;
						case "leave":
							sinks.at(-1)?.leave();
							break;
						case "readPackets":
						case "readUnits": {
							const stream = await table.read(PATH).catch(() => null);
							if (stream === null) break;
							const sink = it.do === "readPackets" ? new StrictPacketSink() : new StrictUnitSink();
							sinks.push(sink);
							sink.seat = sink instanceof StrictPacketSink ? stream.readPackets(sink) : stream.readUnits(sink);
							break;
						}
						case "wait":
							await clock.advance(it.ms);
							break;
						case "packet": {
							sequence += it.jump;
							timestamp += it.ticks;
							const payloadType = publication?.tracks[it.track]?.rtp.payloadType ?? 96;
							const bytes = rtpPacket({ ...it, sequence, timestamp, payloadType });
							publication?.writePacket(it.track, bytes, 0, bytes.length);
							if (it.flush) publication?.flush();
							break;
						}
						case "noise":
							publication?.writePacket(0, it.bytes, 0, it.bytes.length);
							break;
						case "report":
							publication?.writeSenderReport(0, it);
							break;
					}
				}
				table.close();
				for (const sink of sinks) calls[sink instanceof StrictPacketSink ? "packets" : "units"] += sink.calls;
				expect(sinks.flatMap((sink) => sink.faults)).toEqual([]);
				expect(clock.pending).toBe(0);
			}),
			{ seed: SEED, numRuns: RUNS },
		);
		// The steps do reach the readers.
		expect(calls.packets).toBeGreaterThan(RUNS);
		expect(calls.units).toBeGreaterThan(RUNS);
	});
});
