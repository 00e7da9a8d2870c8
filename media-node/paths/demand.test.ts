import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { H264_TRACK, RecordingPacketSink, recordingLogger } from "../../test/support/rtp-stream.ts";
import { PathConfigs } from "./path-configs.ts";
import { PathTable } from "./path-table.ts";

const CAM = parsePathName("cam");
const OVERRIDES: PathOverrides = { source: "rtsp://camera/live", sourceOnDemand: true };

/** A path whose source is started by readers; the test says when it publishes. */
function world({ closeAfterMs = 10_000 } = {}) {
	const clock = new FakeClock();
	const log = recordingLogger();
	const configs = (overrides: PathOverrides) =>
		new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths: { cam: overrides } });
	const calls: string[] = [];
	let lastError: GoneError | null = null;
	const table = new PathTable({
		clock,
		log,
		configs: configs(OVERRIDES),
		onDemand: (path, _, query) => ({
			startTimeoutMs: 10_000,
			closeAfterMs,
			start: () => {
				calls.push(`start ${path} ${query}`);
				return {
					get lastError() {
						return lastError;
					},
					async [Symbol.asyncDispose]() {
						calls.push("stop");
					},
				};
			},
		}),
	});
	const publish = () =>
		table.publish({
			path: CAM,
			tracks: [H264_TRACK],
			publisher: { id: "p", protocol: "rtsp", remoteAddress: "", role: "source" },
			onEvicted: () => calls.push("evicted"),
		});
	const fail = (error: GoneError) => {
		lastError = error;
	};
	return { clock, table, calls, publish, fail, configs };
}

const notFound = expect.objectContaining({ code: "stream.not_found" });

describe("a stream on demand", () => {
	it("is started by its first reader, who waits for it, and stopped after the last one", async () => {
		const { clock, table, calls, publish } = world();
		const [first, second] = [table.read(CAM, undefined, "a=b"), table.read(CAM)];
		await settle();
		expect(calls).toEqual(["start cam a=b"]);
		await publish();
		const seat = (await first).readPackets(new RecordingPacketSink());
		const other = (await second).readPackets(new RecordingPacketSink());
		await clock.advance(60_000);
		seat[Symbol.dispose]();
		await clock.advance(60_000);
		other[Symbol.dispose]();
		await clock.advance(9_999);
		expect(calls).toHaveLength(1);
		await clock.advance(1);
		expect(calls).toEqual(["start cam a=b", "evicted", "stop"]);
		expect(table.list()).toEqual([]);
		expect(clock.pending).toBe(0);
	});

	it("lets who has described it come within 5 s, and is then stopped as soon as it is told to be", async () => {
		const { clock, table, calls, publish } = world({ closeAfterMs: 1_000 });
		const reading = table.read(CAM);
		await settle();
		await publish();
		const stream = await reading;
		await clock.advance(4_999);
		const seat = stream.readPackets(new RecordingPacketSink());
		await clock.advance(60_000);
		seat[Symbol.dispose]();
		await clock.advance(999);
		expect(calls).toHaveLength(1);
		await clock.advance(1);
		expect(calls).toEqual(["start cam ", "evicted", "stop"]);
	});

	it("is refused when its source does not start in time, with the reason", async () => {
		const { clock, table, calls, fail } = world();
		const reading = expect(table.read(CAM)).rejects.toThrow(/not there: the camera is away/);
		await settle();
		fail(new GoneError("session.closed", "the camera is away"));
		await clock.advance(10_000);
		await reading;
		await clock.advance(10_000);
		expect(calls).toEqual(["start cam ", "stop"]);
		expect(clock.pending).toBe(0);
	});

	it("is stopped when whoever waited has left", async () => {
		const { clock, table, calls } = world();
		const client = new AbortController();
		const reading = expect(table.read(CAM, client.signal)).rejects.toEqual(
			expect.objectContaining({ code: "aborted" }),
		);
		await settle();
		client.abort();
		await reading;
		await clock.advance(10_000);
		expect(calls).toEqual(["start cam ", "stop"]);
	});

	it("is started again for the next reader", async () => {
		const { clock, table, calls, publish } = world();
		const first = table.read(CAM);
		await settle();
		await publish();
		await first;
		await clock.advance(10_000);
		expect(calls).toEqual(["start cam ", "evicted", "stop"]);
		const reading = expect(table.read(CAM)).rejects.toEqual(notFound);
		await settle();
		expect(calls.at(-1)).toBe("start cam ");
		await clock.advance(10_000);
		await reading;
		table.close();
		await settle();
		expect(clock.pending).toBe(0);
	});

	it("begins anew when its source is configured otherwise, and goes on when something else is", async () => {
		const { table, calls, publish, configs } = world();
		const reading = table.read(CAM);
		await settle();
		await publish();
		await reading;
		table.apply(configs({ ...OVERRIDES, maxReaders: 3 }));
		expect(calls).toHaveLength(1);
		table.apply(configs({ ...OVERRIDES, source: "rtsp://other/live" }));
		await settle();
		expect(calls).toEqual(["start cam ", "evicted", "stop"]);
		table.close();
	});
});

describe("a path that is somewhere else", () => {
	const table = new PathTable({
		clock: new FakeClock(),
		log: recordingLogger(),
		configs: new PathConfigs({
			pathDefaults: DEFAULT_PATH_CONFIG,
			paths: {
				moved: { source: "redirect", sourceRedirect: "/other" },
				spare: { fallback: "rtsp://backup/live" },
				pulled: { source: "rtsp://camera/live" },
			},
		}),
	});

	it.each([
		["moved", "/other"],
		["spare", "rtsp://backup/live"],
	])("%s is to be read from %s", async (path, location) => {
		await expect(table.read(parsePathName(path))).rejects.toEqual(
			expect.objectContaining({ code: "stream.moved", data: { location } }),
		);
	});

	it.each(["moved", "pulled"])("%s takes no publisher", async (path) => {
		const publisher = { id: "p", protocol: "rtsp", remoteAddress: "" };
		const request = { path: parsePathName(path), tracks: [H264_TRACK], publisher, onEvicted: () => {} };
		await expect(table.publish(request)).rejects.toThrow(/has a source of its own/);
	});
});
