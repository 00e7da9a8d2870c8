import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { ProtocolError } from "#shared/problem.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import type { ForwardContext, ForwardDriver } from "./forward.ts";
import { FORWARD_RETRY } from "./forward-runner.ts";
import { Forwards } from "./forwards.ts";
import { PathConfigs } from "./path-configs.ts";

const stack: AsyncDisposable[] = [];
afterEach(async () => {
	for (const part of stack.splice(0)) await part[Symbol.asyncDispose]();
});

const configsOf = (paths: Record<string, PathOverrides>) =>
	new PathConfigs({ pathDefaults: { ...DEFAULT_PATH_CONFIG }, paths });

const to = (dest: string, whipBearerToken = "") => ({ dest, destFingerprint: "", whipBearerToken });

/** Forwarding by a driver that does as a test says. */
function world(paths: Record<string, PathOverrides>) {
	const clock = new FakeClock();
	const log = recordingLogger();
	/** Runs that are going on. */
	const runs: { readonly url: string; readonly context: ForwardContext; readonly fail: (error: Error) => void }[] = [];
	const urls: string[] = [];
	const driver: ForwardDriver = {
		schemes: ["whip://"],
		run: (context, signal) => {
			urls.push(context.url);
			const ended = Promise.withResolvers<never>();
			const run = { url: context.url, context, fail: ended.reject };
			runs.push(run);
			signal.addEventListener("abort", () => ended.reject(signal.reason));
			return ended.promise.finally(() => runs.splice(runs.indexOf(run), 1));
		},
	};
	const forwards = new Forwards({ drivers: [driver], clock, log, timeoutMs: () => 10_000 });
	stack.push(forwards);
	forwards.apply(configsOf(paths));
	const streamOf = (name: string) => {
		const path = parsePathName(name);
		return { path, reading: () => ({ path, tracks: [] }) as unknown as ReadableStreamOfPath };
	};
	const begin = async (name: string) => {
		forwards.streamBegan(streamOf(name));
		await settle();
	};
	const end = async (name: string) => {
		forwards.streamEnded(streamOf(name) as Parameters<Forwards["streamEnded"]>[0]);
		await settle();
	};
	const apply = async (next: Record<string, PathOverrides>) => {
		forwards.apply(configsOf(next));
		await settle();
	};
	return { clock, log, runs, urls, forwards, begin, end, apply };
}

const unreachable = () => new ProtocolError("webrtc.failed", "The server cannot be reached");

describe("Forwards", () => {
	it("sends a stream to all destinations of its path while it is there", async () => {
		const { runs, forwards, begin, end } = world({ cam: { forward: [to("whip://a/x"), to("whip://b/y")] } });
		expect(forwards.list("cam").map(({ state, position }) => [state, position])).toEqual([
			["idle", 0],
			["idle", 1],
		]);
		await begin("other");
		expect(runs).toEqual([]);
		await begin("cam");
		expect(runs.map(({ url }) => url)).toEqual(["whip://a/x", "whip://b/y"]);
		await end("cam");
		expect(runs).toEqual([]);
		expect(forwards.list("cam").map(({ state, lastError }) => [state, lastError])).toEqual([
			["idle", ""],
			["idle", ""],
		]);
	});

	it("puts the path and the groups of its expression into the address, and forgets paths that end", async () => {
		const { urls, forwards, begin, end } = world({ "~^(.+)/(.+)$": { forward: [to("whip://$G1/${MTX_PATH}-$G2")] } });
		await begin("a/b");
		expect(urls).toEqual(["whip://a/a/b-b"]);
		expect(forwards.list()).toMatchObject([{ path: "a/b", protocol: "whip", state: "idle" }]);
		await end("a/b");
		expect(forwards.list()).toEqual([]);
	});

	it("tells the state, the last error and the bytes, and tries again later and later", async () => {
		const { clock, runs, urls, forwards, begin, log } = world({ cam: { forward: [to("whip://a/x")] } });
		await begin("cam");
		runs[0]?.context.onForwarding(() => 700);
		expect(forwards.list()).toMatchObject([{ state: "forwarding", outboundBytes: 700 }]);
		runs[0]?.fail(unreachable());
		await settle();
		const failed = { state: "error", lastError: "The server cannot be reached", outboundBytes: 700 };
		expect(forwards.list()).toMatchObject([failed]);
		await clock.advance(FORWARD_RETRY.minMs);
		expect(urls.length).toBe(2);
		runs[0]?.fail(unreachable());
		await settle();
		await clock.advance(FORWARD_RETRY.minMs - 1);
		expect(urls.length).toBe(2);
		await clock.advance(FORWARD_RETRY.minMs + 1);
		expect(urls.length).toBe(3);
		expect(forwards.list()).toMatchObject([failed]);
		runs[0]?.context.onForwarding(() => 1);
		expect(forwards.list()).toMatchObject([{ state: "forwarding", lastError: "", outboundBytes: 701 }]);
		// The same failure is told once.
		expect(log.lines.filter(({ level }) => level === "warn").length).toBe(1);
	});

	it("goes on with what a new configuration leaves as it is, and begins and ends the rest", async () => {
		const { runs, forwards, begin, apply } = world({ cam: { forward: [to("whip://a/x"), to("whip://b/y")] } });
		await begin("cam");
		const kept = runs[1];
		const [, { id } = { id: "" }] = forwards.list();
		await apply({ cam: { forward: [to("whip://b/y"), to("whip://a/x", "token")], maxReaders: 3 } });
		expect(runs[0]).toBe(kept);
		expect(runs.map(({ url }) => url)).toEqual(["whip://b/y", "whip://a/x"]);
		expect(forwards.list()[0]).toMatchObject({ id, position: 0 });
		await apply({ cam: {} });
		expect(runs).toEqual([]);
		expect(forwards.list()).toEqual([]);
		await apply({ cam: { forward: [to("whip://c/z")] } });
		expect(runs.map(({ url }) => url)).toEqual(["whip://c/z"]);
	});

	it("says in one sentence what this version cannot do, without secrets", async () => {
		const { forwards, begin, log } = world({ cam: { forward: [to("rtmp://u:pw@host/app?pass=x#key")] } });
		await begin("cam");
		const lastError = "This version cannot forward to rtmp://host/app?…: set another dest for cam";
		expect(forwards.list()).toMatchObject([{ protocol: "rtmp", state: "error", lastError }]);
		expect(JSON.stringify(log.lines)).not.toMatch(/pw|pass|key/);
	});

	it("logs what is a fault of ours as such, and goes on", async () => {
		const { clock, runs, urls, forwards, begin, log } = world({ cam: { forward: [to("whip://a/x")] } });
		await begin("cam");
		runs[0]?.fail(new TypeError("no"));
		await settle();
		expect(log.lines.filter(({ level }) => level === "error").length).toBe(1);
		expect(forwards.list()).toMatchObject([{ state: "error", lastError: "it failed on our side" }]);
		await clock.advance(FORWARD_RETRY.minMs);
		expect(urls.length).toBe(2);
	});

	it("stops all, and has no timer left", async () => {
		const { clock, runs, forwards, begin } = world({ cam: { forward: [to("whip://a/x"), to("srt://b:1")] } });
		await begin("cam");
		await forwards[Symbol.asyncDispose]();
		expect(runs).toEqual([]);
		expect(clock.pending).toBe(0);
	});
});
