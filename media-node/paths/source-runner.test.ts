import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { H264_TRACK, recordingLogger } from "../../test/support/rtp-stream.ts";
import type { Stream } from "../stream/stream.ts";
import { PathConfigs } from "./path-configs.ts";
import { PathTable } from "./path-table.ts";
import type { SourceContext, SourceDriver } from "./source.ts";
import { RETURN_INTERVAL_MS, SourceRunner } from "./source-runner.ts";
import { StartPacer } from "./start-pacer.ts";

const CAM = parsePathName("cam");

/** A source of which the test decides whether it answers, and when it ends. */
class Cameras implements SourceDriver {
	readonly type = "testSource";
	readonly schemes = ["rtsp://"];
	readonly up = new Set<string>();
	readonly attempts: string[] = [];
	/** By source: ends the run. */
	readonly ends = new Map<string, (reason: Error) => void>();

	async run({ source, publish }: SourceContext, signal: AbortSignal): Promise<never> {
		this.attempts.push(source);
		if (!this.up.has(source)) throw new GoneError("session.closed", `${source} is away`);
		await publish([H264_TRACK], "10.0.0.9:554");
		return new Promise((_, reject) => {
			this.ends.set(source, reject);
			signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
		});
	}
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0)) await cleanup();
});

function world(sources: readonly string[], up: readonly string[]) {
	const clock = new FakeClock();
	const log = recordingLogger();
	const config = { ...DEFAULT_PATH_CONFIG, source: [...sources] };
	const table = new PathTable({ clock, log, configs: new PathConfigs({ pathDefaults: config, paths: { cam: {} } }) });
	const streams: Stream[] = [];
	table.onStream({ streamBegan: (stream) => streams.push(stream) });
	const cameras = new Cameras();
	for (const source of up) cameras.up.add(source);
	const runner = SourceRunner.start({
		path: CAM,
		config,
		sources,
		drivers: [cameras],
		table,
		pacer: new StartPacer(clock, 20),
		clock,
		log,
		readTimeoutMs: 10_000,
		writeTimeoutMs: 10_000,
	});
	cleanups.push(async () => {
		await runner[Symbol.asyncDispose]();
		table.close();
		expect(clock.pending).toBe(0);
	});
	const publisher = () => table.list()[0]?.publisher ?? null;
	return { clock, log, table, streams, cameras, runner, publisher };
}

describe("the source of a path", () => {
	it("publishes as what it is", async () => {
		const { publisher } = world(["rtsp://a"], ["rtsp://a"]);
		await settle();
		expect(publisher()).toMatchObject({
			protocol: "rtsp",
			type: "testSource",
			role: "source",
			remoteAddress: "10.0.0.9:554",
		});
	});

	it("is tried again, after longer and longer waits, and says once why", async () => {
		const { clock, cameras, log, publisher } = world(["rtsp://a"], []);
		await settle();
		for (let i = 0; i < 60; i++) await clock.advance(1000);
		expect(cameras.attempts.length).toBeGreaterThanOrEqual(6);
		expect(cameras.attempts.length).toBeLessThanOrEqual(12);
		expect(log.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
		cameras.up.add("rtsp://a");
		for (let i = 0; i < 15; i++) await clock.advance(1000);
		expect(publisher()).not.toBeNull();
	});

	it("comes back after it broke, and the stream and its readers stay", async () => {
		const { clock, cameras, streams, publisher } = world(["rtsp://a"], ["rtsp://a"]);
		await settle();
		cameras.ends.get("rtsp://a")?.(new GoneError("session.closed", "The camera hung up"));
		await settle();
		expect(publisher()).toBeNull();
		for (let i = 0; i < 3; i++) await clock.advance(1000);
		expect(publisher()).not.toBeNull();
		expect(streams).toHaveLength(1);
	});

	it("is the next of the list while the first is away, and the first again when it is back", async () => {
		const { clock, cameras, streams, publisher } = world(["rtsp://a", "rtsp://b"], ["rtsp://b"]);
		await clock.advance(100);
		expect(cameras.attempts).toEqual(["rtsp://a", "rtsp://b"]);
		const second = publisher()?.id;
		expect(second).toBeDefined();
		await clock.advance(RETURN_INTERVAL_MS);
		await clock.advance(100);
		expect(publisher()?.id).toBe(second);
		cameras.up.add("rtsp://a");
		await clock.advance(RETURN_INTERVAL_MS);
		await clock.advance(100);
		expect(cameras.attempts.at(-1)).toBe("rtsp://a");
		expect(publisher()?.id).not.toBe(second);
		expect(streams).toHaveLength(1);
		cameras.up.delete("rtsp://a");
		cameras.ends.get("rtsp://a")?.(new GoneError("session.closed", "The camera hung up"));
		for (let i = 0; i < 5; i++) await clock.advance(1000);
		expect(cameras.attempts.at(-1)).toBe("rtsp://b");
		expect(publisher()).not.toBeNull();
	});

	it("of a kind that this version does not have says so", async () => {
		const { log, runner } = world(["srt://user:hunter22@host:1"], []);
		await settle();
		expect(runner.lastError?.message).toMatch(/cannot take a stream from srt:\/\/host:1/);
		expect(JSON.stringify(log.lines)).not.toContain("hunter22");
	});
});

describe("sources that all begin at once", () => {
	it("are spaced out, and none waits for another to succeed", async () => {
		const clock = new FakeClock();
		const pacer = new StartPacer(clock, 20);
		const started: number[] = [];
		const turns = Array.from({ length: 5 }, async () => {
			await pacer.turn(new AbortController().signal);
			started.push(clock.monotonic());
		});
		for (let i = 0; i < 10; i++) await clock.advance(10);
		await Promise.all(turns);
		expect(started).toEqual([0, 20, 40, 60, 80]);
	});
});
