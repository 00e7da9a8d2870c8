import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock, settle } from "../test/support/fake-clock.ts";
import { H264_TRACK, RecordingPacketSink, recordingLogger } from "../test/support/rtp-stream.ts";
import type { HookRunner } from "./hooks/hook-runner.ts";
import { PathHooks } from "./path-hooks.ts";
import { PathConfigs } from "./paths/path-configs.ts";
import { PathTable } from "./paths/path-table.ts";

/** A runner that notes what begins and ends, and runs nothing. */
function recordingRunner() {
	const calls: string[] = [];
	const environments: Record<string, unknown>[] = [];
	const runner: Pick<HookRunner, "begin"> = {
		begin(hook, config, environment) {
			calls.push(`${hook}${config[hook] ? ` ${config[hook]}` : ""}`);
			environments.push({ hook, ...environment });
			return {
				async [Symbol.asyncDispose]() {
					calls.push(`/${hook}`);
				},
			};
		},
	};
	return { runner: runner as HookRunner, calls, environments };
}

const configsOf = (paths: Record<string, PathOverrides>) =>
	new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths });

function world(paths: Record<string, PathOverrides> = { "~^cam(.+)$": {} }) {
	const clock = new FakeClock();
	const log = recordingLogger();
	const table = new PathTable({ clock, log, configs: configsOf(paths) });
	const { runner, calls, environments } = recordingRunner();
	const hooks = new PathHooks({ runner, log, rtspPort: () => 8554, configured: (path) => table.configuredPath(path) });
	table.onStream(hooks);
	const publish = (name: string, more: object = {}) =>
		table.publish({
			path: parsePathName(name),
			tracks: [H264_TRACK],
			publisher: { id: "pub", protocol: "rtsp", type: "rtspSession", remoteAddress: "", query: "a=b", ...more },
			onEvicted: () => undefined,
		});
	return { clock, table, hooks, calls, environments, publish };
}

describe("the hooks of a path", () => {
	it("follow a stream: available while it can be read, online while somebody publishes", async () => {
		const { clock, calls, environments, publish } = world();
		const first = await publish("cam7");
		first.close();
		await publish("cam7").then((again) => again.close());
		await clock.advance(60_000);
		await settle();
		expect(calls).toEqual([
			"runOnAvailable",
			"runOnOnline",
			"/runOnOnline",
			"runOnOnline",
			"/runOnOnline",
			"/runOnAvailable",
		]);
		expect(environments[0]).toEqual({
			hook: "runOnAvailable",
			MTX_PATH: "cam7",
			RTSP_PATH: "cam7",
			RTSP_PORT: "8554",
			MTX_QUERY: "a=b",
			MTX_SOURCE_TYPE: "rtspSession",
			MTX_SOURCE_ID: "pub",
			G1: "7",
		});
	});

	it("tell an offline clip from what is online", async () => {
		const { calls, publish } = world();
		await publish("cam7", { role: "offline" });
		expect(calls).toEqual(["runOnAvailable"]);
		await publish("cam7");
		expect(calls).toEqual(["runOnAvailable", "runOnOnline"]);
	});

	it("follow each client that reads, and not what is hidden", async () => {
		const { table, calls, environments, publish } = world();
		await publish("cam7");
		const stream = await table.read(parsePathName("cam7"));
		using _hidden = stream.readPackets(new RecordingPacketSink());
		const reader = { id: "r1", type: "rtspSession", remoteAddress: "10.0.0.1:5", query: "x=1" };
		const seat = stream.readPackets(new RecordingPacketSink(), reader);
		seat[Symbol.dispose]();
		await settle();
		expect(calls.slice(2)).toEqual(["runOnRead", "/runOnRead"]);
		expect(environments.at(-1)).toMatchObject({
			MTX_READER_TYPE: "rtspSession",
			MTX_READER_ID: "r1",
			MTX_QUERY: "x=1",
		});
	});

	it("run runOnInit as long as the configuration has the path and the command", async () => {
		const { hooks, calls } = world();
		hooks.apply(configsOf({ a: { runOnInit: "one" }, b: {} }));
		hooks.apply(configsOf({ a: { runOnInit: "one", maxReaders: 1 }, b: {} }));
		expect(calls).toEqual(["runOnInit one"]);
		hooks.apply(configsOf({ a: { runOnInit: "two" } }));
		await settle();
		expect(calls.slice(1).sort()).toEqual(["/runOnInit", "runOnInit two"]);
		hooks.apply(configsOf({}));
		await settle();
		expect(calls.at(-1)).toBe("/runOnInit");
	});
});
