import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathConfig, type PathOverrides } from "#shared/config/path-config.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { GoneError, StoreError } from "#shared/problem.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import {
	AAC_TRACK,
	H264_TRACK,
	nal,
	RecordingPacketSink,
	RecordingUnitSink,
	recordingLogger,
	rtpPacket,
} from "../../test/support/rtp-stream.ts";
import type { Publication } from "../stream/publication.ts";
import type { Stream } from "../stream/stream.ts";
import type { Track } from "../stream/track.ts";
import { PathConfigs } from "./path-configs.ts";
import { MAX_TRACKS, PathTable, type PathTableOptions } from "./path-table.ts";

const CAM = parsePathName("cam01");
const WINDOW_MS = 30_000;
const config = (changes: Partial<PathConfig> = {}): PathConfig => ({ ...DEFAULT_PATH_CONFIG, ...changes });

const configsOf = (paths: Record<string, PathOverrides>) => new PathConfigs({ pathDefaults: config(), paths });

function tableOf(options: Partial<PathTableOptions> = {}) {
	const clock = new FakeClock();
	const log = recordingLogger();
	const table = new PathTable({ clock, log, configs: configsOf({ all_others: {} }), ...options });
	const heard: string[] = [];
	const streams: Stream[] = [];
	const observing = table.onStream({
		streamBegan: (stream, publisher) => {
			streams.push(stream);
			heard.push(`began ${stream.path} ${publisher.id}`);
		},
		publisherLeft: (_, publisher, reason) => heard.push(`left ${publisher.id} ${reason?.code ?? "-"}`),
		publisherReturned: (_, publisher) => heard.push(`returned ${publisher.id}`),
		streamEnded: (stream, reason) => heard.push(`ended ${stream.path} ${reason.code}`),
		configChanged: (stream) => heard.push(`config ${stream.path}`),
	});
	const evicted: string[] = [];
	let count = 0;
	const publish = (
		path: PathName = CAM,
		{ tracks = [H264_TRACK], signal }: { tracks?: readonly Omit<Track, "index">[]; signal?: AbortSignal } = {},
	): Promise<Publication> => {
		const id = `p${++count}`;
		const publisher = { id, protocol: "rtsp", remoteAddress: "10.0.0.1:5000" };
		const onEvicted = (reason: { code: string }) => evicted.push(`${id} ${reason.code}`);
		return table.publish({ path, tracks, publisher, onEvicted }, signal);
	};
	return { clock, log, table, heard, streams, observing, evicted, publish };
}

const code = (expected: string) => expect.objectContaining({ code: expected });

function send(publication: Publication, timestamp = 0): void {
	const bytes = rtpPacket({ sequence: 1, timestamp, payload: nal(5), marker: true });
	publication.writePacket(0, bytes, 0, bytes.length);
	publication.flush();
}

describe("publishing", () => {
	it("begins a stream that can be read", async () => {
		const { table, publish, heard } = tableOf();
		await expect(table.read(CAM)).rejects.toEqual(code("stream.not_found"));
		const publication = await publish();
		const stream = await table.read(CAM);
		const sink = new RecordingPacketSink();
		stream.readPackets(sink);
		send(publication);
		expect(sink.packets).toHaveLength(1);
		expect(stream.tracks).toEqual([H264_TRACK]);
		expect(heard).toEqual(["began cam01 p1"]);
	});

	it("tells readers that a source delivers nothing where nobody can publish, and not which", async () => {
		const { table } = tableOf({ configs: configsOf({ cam01: { source: "rtsp://u:p@camera/x" }, cam02: {} }) });
		const error = await table.read(CAM).catch((thrown: unknown) => thrown);
		expect(error).toMatchObject({ code: "stream.not_found", message: expect.stringContaining("The source of cam01") });
		expect(String(error)).not.toContain("camera/x");
		await expect(table.read(parsePathName("cam02"))).rejects.toThrow("Nobody is publishing to cam02");
	});

	it("needs a configured path", async () => {
		const { table, publish } = tableOf({ configs: configsOf({ cam01: {} }) });
		await publish();
		const other = parsePathName("cam02");
		await expect(publish(other)).rejects.toEqual(code("path.not_configured"));
		await expect(table.read(other)).rejects.toEqual(code("path.not_configured"));
	});

	it.each([
		["no track", [], "media.unsupported"],
		["too many tracks", Array<Track>(MAX_TRACKS + 1).fill(H264_TRACK), "bytes.limit"],
		["a track without a clock", [{ ...H264_TRACK, clockRate: 0 }], "media.unsupported"],
	])("with %s is refused, and harms nobody who publishes", async (_, tracks, expected) => {
		const { publish, evicted } = tableOf();
		await publish();
		await expect(publish(CAM, { tracks })).rejects.toEqual(code(expected));
		expect(evicted).toEqual([]);
	});

	it("takes over from the one before, and readers stay", async () => {
		const { table, publish, evicted, heard } = tableOf();
		const first = await publish();
		const sink = new RecordingPacketSink();
		(await table.read(CAM)).readPackets(sink);
		const second = await publish();
		send(first);
		send(second);
		expect(sink.packets).toHaveLength(1);
		expect(evicted).toEqual(["p1 path.conflict"]);
		expect(heard).toEqual(["began cam01 p1", "left p1 -", "returned p2"]);
	});

	it("is refused where publishers may not be overridden", async () => {
		const { publish, evicted } = tableOf({ configs: configsOf({ all_others: { overridePublisher: false } }) });
		const first = await publish();
		await expect(publish()).rejects.toEqual(code("path.conflict"));
		expect(evicted).toEqual([]);
		first.close();
		await publish();
	});

	it("waits for the gate, one at a time for a path, in order; the last one has the stream", async () => {
		const gates: { path: string; open: () => void }[] = [];
		const onPublish = (path: PathName) => new Promise<void>((open) => gates.push({ path, open }));
		const { publish, evicted, heard } = tableOf({ onPublish });
		const all = [publish(), publish(), publish(), publish(parsePathName("other"))];
		await settle();
		expect(gates.map(({ path }) => path)).toEqual(["cam01", "other"]);
		for (let i = 0; i < 4; i++) {
			await settle();
			gates[i]?.open();
		}
		await Promise.all(all);
		expect(evicted).toEqual(["p1 path.conflict", "p2 path.conflict"]);
		expect(heard.at(-1)).toBe("returned p3");
	});

	it("that the gate refuses does not disturb the one who publishes", async () => {
		let refuse = false;
		const onPublish = async () => {
			if (refuse) throw new StoreError("timeline.fenced", "Another node owns cam01");
		};
		const { publish, evicted, table } = tableOf({ onPublish });
		await publish();
		refuse = true;
		await expect(publish()).rejects.toEqual(code("timeline.fenced"));
		expect(evicted).toEqual([]);
		expect(table.list()).toMatchObject([{ ready: true, publisher: { id: "p1" } }]);
	});

	it("that is given up at the gate leaves nothing behind", async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		const { publish, table, clock } = tableOf({ onPublish: () => promise });
		const controller = new AbortController();
		const given = publish(CAM, { signal: controller.signal });
		const next = publish();
		controller.abort();
		resolve();
		await expect(given).rejects.toEqual(code("aborted"));
		await next;
		expect(table.list()).toMatchObject([{ publisher: { id: "p2" } }]);
		expect(clock.pending).toBe(0);
	});

	it("sees a change of the configuration while it waits", async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		const { publish, table } = tableOf({ onPublish: () => promise });
		const waiting = publish();
		table.apply(configsOf({}));
		resolve();
		await expect(waiting).rejects.toEqual(code("path.not_configured"));
		expect(table.list()).toEqual([]);
	});

	it("is refused when too many wait for one path", async () => {
		const { publish, table } = tableOf({ onPublish: () => new Promise(() => undefined) });
		const results: string[] = [];
		for (let i = 0; i < 20; i++) {
			publish().catch((error) => results.push(error.code));
		}
		await settle();
		expect(results).toEqual(["path.conflict", "path.conflict", "path.conflict"]);
		table.close();
	});
});

describe("a publisher that goes away", () => {
	it("may come back within the window: readers stay, and the timer is gone", async () => {
		const { table, publish, clock, heard } = tableOf();
		const first = await publish();
		const [packets, units] = [new RecordingPacketSink(), new RecordingUnitSink()];
		const stream = await table.read(CAM);
		stream.readPackets(packets);
		stream.readUnits(units);
		first.close(new GoneError("session.closed", "The camera hung up"));
		expect(table.list()).toMatchObject([{ name: "cam01", ready: false, readers: [{ type: "hidden" }] }]);
		await clock.advance(WINDOW_MS - 1);
		await table.read(CAM);
		send(await publish());
		expect(clock.pending).toBe(0);
		await clock.advance(WINDOW_MS);
		expect(packets.ended).toEqual([]);
		expect(units.calls).toEqual(["begin", "pause", "begin", "unit"]);
		expect(heard).toEqual(["began cam01 p1", "left p1 session.closed", "returned p2"]);
	});

	it("ends the stream when it does not come back in time", async () => {
		const { table, publish, clock, heard } = tableOf();
		const publication = await publish();
		const [packets, units] = [new RecordingPacketSink(), new RecordingUnitSink()];
		const stream = await table.read(CAM);
		stream.readPackets(packets);
		stream.readUnits(units);
		publication.close();
		await clock.advance(WINDOW_MS);
		expect(packets.ended).toEqual([code("stream.ended")]);
		expect(units.calls).toEqual(["begin", "pause", "end"]);
		expect(heard).toEqual(["began cam01 p1", "left p1 -", "ended cam01 stream.ended"]);
		await expect(table.read(CAM)).rejects.toEqual(code("stream.not_found"));
		await publish();
		expect(heard.at(-1)).toBe("began cam01 p2");
	});

	it("is waited for while it is at the door when the window ends", async () => {
		const gates: (() => void)[] = [];
		const { table, publish, clock, heard } = tableOf({ onPublish: () => new Promise((open) => gates.push(open)) });
		const first = publish();
		await settle();
		gates[0]?.();
		(await first).close();
		await clock.advance(WINDOW_MS - 1);
		const second = publish();
		await clock.advance(5000);
		expect(table.list()).toHaveLength(1);
		gates[1]?.();
		await second;
		expect(heard.at(-1)).toBe("returned p2");
		expect(clock.pending).toBe(0);
	});

	it("ends the stream as soon as the door refuses it, when the window has ended meanwhile", async () => {
		let gate = Promise.resolve();
		const { table, publish, clock, heard } = tableOf({ onPublish: () => gate });
		(await publish()).close();
		const { promise, reject } = Promise.withResolvers<void>();
		gate = promise;
		const second = publish();
		await clock.advance(WINDOW_MS + 1);
		expect(table.list()).toHaveLength(1);
		reject(new StoreError("timeline.fenced", "Another node owns cam01"));
		await expect(second).rejects.toEqual(code("timeline.fenced"));
		expect(heard.at(-1)).toBe("ended cam01 stream.ended");
		expect(table.list()).toEqual([]);
	});

	it("is not waited for when the window is zero", async () => {
		const { table, publish, clock } = tableOf({
			configs: configsOf({ all_others: { publisherReconnectWindow: "0s" } }),
		});
		(await publish()).close();
		await clock.advance(0);
		expect(table.list()).toEqual([]);
	});
});

describe("a change of the configuration", () => {
	it("ends the stream of a path that may be no more", async () => {
		const { table, publish, evicted, heard } = tableOf();
		await publish();
		const sink = new RecordingPacketSink();
		(await table.read(CAM)).readPackets(sink);
		table.apply(configsOf({ cam02: {} }));
		expect(sink.ended).toEqual([code("stream.ended")]);
		expect(evicted).toEqual(["p1 stream.ended"]);
		expect(heard.slice(1)).toEqual(["left p1 stream.ended", "ended cam01 stream.ended"]);
	});

	it("reaches a stream that goes on, once, and only if it is one for it", async () => {
		const { table, publish, heard, streams } = tableOf();
		await publish();
		table.apply(configsOf({ all_others: {} }));
		table.apply(configsOf({ cam01: { maxReaders: 1 }, all_others: {} }));
		expect(heard).toEqual(["began cam01 p1", "config cam01"]);
		expect(streams[0]?.config.maxReaders).toBe(1);
		(await table.read(CAM)).readPackets(new RecordingPacketSink());
		await expect(table.read(CAM)).rejects.toEqual(code("path.readers"));
	});

	it.each([
		["10s", 10_000],
		["1m", 60_000],
	])("of the window to %s counts from when the publisher left", async (window, windowMs) => {
		const { table, publish, clock } = tableOf();
		(await publish()).close();
		await clock.advance(5000);
		table.apply(configsOf({ all_others: { publisherReconnectWindow: window } }));
		await clock.advance(windowMs - 5001);
		expect(table.list()).toHaveLength(1);
		await clock.advance(1);
		expect(table.list()).toEqual([]);
		expect(clock.pending).toBe(0);
	});

	it("ends a wait that is over by the new window", async () => {
		const { table, publish, clock } = tableOf();
		(await publish()).close();
		await clock.advance(20_000);
		table.apply(configsOf({ all_others: { publisherReconnectWindow: "10s" } }));
		await clock.advance(0);
		expect(table.list()).toEqual([]);
	});
});

describe("the end", () => {
	it("of one path, as when its lease is lost, throws the publisher out and ends its readers", async () => {
		const { table, publish, evicted, heard } = tableOf();
		await publish();
		const sink = new RecordingUnitSink();
		(await table.read(CAM)).readUnits(sink);
		expect(table.end(CAM, new StoreError("timeline.fenced", "Another node owns cam01"))).toBe(true);
		expect(table.end(CAM, new StoreError("timeline.fenced", "Another node owns cam01"))).toBe(false);
		expect(evicted).toEqual(["p1 timeline.fenced"]);
		expect(sink.calls).toEqual(["begin", "pause", "end"]);
		expect(heard.slice(1)).toEqual(["left p1 timeline.fenced", "ended cam01 timeline.fenced"]);
	});

	it("of the table ends every stream, refuses who waits, and lets nobody in any more", async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		let gate = Promise.resolve();
		const { table, publish, clock, evicted } = tableOf({ onPublish: () => gate });
		await publish();
		(await publish(parsePathName("away"))).close();
		gate = promise;
		const waiting = publish(parsePathName("late"));
		table.close();
		table.close();
		resolve();
		await expect(waiting).rejects.toEqual(code("aborted"));
		await expect(publish()).rejects.toEqual(code("aborted"));
		expect(evicted).toEqual(["p1 stream.ended"]);
		expect(table.list()).toEqual([]);
		expect(clock.pending).toBe(0);
	});

	it("leaves no timer, sink or stream after 1000 publishers and readers", async () => {
		const { table, publish, clock } = tableOf({
			configs: configsOf({ all_others: { publisherReconnectWindow: "1s" } }),
		});
		const endless = new AbortController();
		const sinks: RecordingPacketSink[] = [];
		for (let i = 0; i < 1000; i++) {
			const tracks = i % 3 === 0 ? [H264_TRACK, AAC_TRACK] : [H264_TRACK];
			const publication = await publish(parsePathName(`cam${i % 7}`), { tracks, signal: endless.signal });
			const sink = new RecordingPacketSink();
			sinks.push(sink);
			(await table.read(parsePathName(`cam${i % 7}`))).readPackets(sink);
			send(publication);
			publication.close();
			if (i % 5 === 0) await clock.advance(200);
		}
		await clock.advance(1000);
		expect(clock.pending).toBe(0);
		expect(getEventListeners(endless.signal, "abort")).toEqual([]);
		expect(table.list()).toEqual([]);
		expect(sinks.every((sink) => sink.ended.length === 1)).toBe(true);
	});
});

describe("an observer", () => {
	it("hears nothing after it was disposed, and one that throws harms nobody", async () => {
		const { publish, observing, heard, log, table } = tableOf();
		observing[Symbol.dispose]();
		table.onStream({
			streamBegan: () => {
				throw new Error("broken");
			},
		});
		await publish();
		expect(heard).toEqual([]);
		expect(log.lines).toMatchObject([{ level: "error" }]);
	});

	it("can attach a sink that gets the very first unit", async () => {
		const { publish, table } = tableOf();
		const sink = new RecordingUnitSink();
		table.onStream({ streamBegan: (stream) => void stream.readUnits(sink) });
		send(await publish());
		expect(sink.calls).toEqual(["begin", "unit"]);
	});
});
