import { afterEach, describe, expect, it } from "vitest";
import { verifyHeartbeat } from "#shared/nodes/heartbeat.ts";
import { generateNodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { type NodeStream, readNodeStreams } from "#shared/nodes/node-streams.ts";
import { StoreError } from "#shared/problem.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { heartbeatOf, nodeStreamOf } from "../../test/support/nodes.ts";
import type { Logger } from "../log.ts";
import { NodeHeartbeat, type NodeHeartbeatOptions } from "./heartbeat.ts";

const KEY = "nodes/edge-1/heartbeat.jws";
const STREAMS = "nodes/edge-1/streams.json";
const STREAM = nodeStreamOf("cam/1");
const REGISTRATION = "nodes/edge-1/registration.json";

const opened: NodeHeartbeat[] = [];
afterEach(async () => {
	for (const heartbeat of opened.splice(0)) await heartbeat[Symbol.asyncDispose]();
});

async function world(options: Partial<NodeHeartbeatOptions> = {}) {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const key = await generateNodeKey();
	const lines: string[] = [];
	const log = {
		info: (...given: unknown[]) => void lines.push(`info ${given.at(-1)}`),
		warn: (...given: unknown[]) => void lines.push(`warn ${given.at(-1)}`),
	} as unknown as Logger;
	const { region, host, endpoints, load } = heartbeatOf("edge-1", 0);
	const register = (changes: object = {}) =>
		store.put(
			REGISTRATION,
			JSON.stringify({ v: 1, id: "edge-1", key: publicNodeKey(key), joinedMs: 0, draining: false, ...changes }),
		);
	const open = () => {
		const heartbeat = NodeHeartbeat.open({
			store,
			clock,
			log,
			id: "edge-1",
			key,
			version: "1.2.3",
			intervalMs: 5_000,
			registersItself: false,
			facts: () => ({ region, host, endpoints, load }),
			streams: () => [],
			...options,
		});
		opened.push(heartbeat);
		return heartbeat;
	};
	const read = async () => {
		const object = await store.get(KEY);
		return object === null ? null : verifyHeartbeat(await object.text(), "edge-1", publicNodeKey(key));
	};
	/** Signatures are made on other threads, which a clock that stands still does not wait for. */
	const idle = () => eventually("the wait for the next heartbeat", () => clock.nextAt === clock.now() + 5_000);
	const beats = async (sequence: number) => {
		await idle();
		expect((await read())?.sequence).toBe(sequence);
	};
	return { clock, store, key, lines, register, open, read, beats, idle };
}

describe("a node's heartbeat", () => {
	it("is written at once and every five seconds, counted and signed", async () => {
		const { clock, register, open, read, beats } = await world();
		await register();
		open();
		await beats(1);
		for (let n = 2; n <= 4; n++) {
			await clock.advance(5_000);
			await beats(n);
			expect(await read()).toMatchObject({ writtenMs: clock.now(), startedMs: Date.UTC(2026, 0, 1), version: "1.2.3" });
		}
	});

	it("says of the streams what is new, and vouches for it", async () => {
		const live: NodeStream[] = [];
		const { clock, store, register, open, read, beats } = await world({ streams: () => live });
		await register();
		open();
		await beats(1);
		expect((await read())?.streams).toBeNull();
		expect(await store.get(STREAMS)).toBeNull();
		live.push(STREAM);
		await clock.advance(5_000);
		await beats(2);
		const object = await store.get(STREAMS);
		const hash = (await read())?.streams ?? "";
		expect((await readNodeStreams((await object?.text()) ?? "", "edge-1", hash))?.streams).toEqual([STREAM]);
		await clock.advance(5_000);
		await beats(3);
		expect((await store.head(STREAMS))?.etag).toBe(object?.etag);
		expect((await read())?.streams).toBe(hash);
		live[0] = { ...STREAM, bitsPerSecond: 5_000_000 };
		await clock.advance(5_000);
		await beats(4);
		expect((await read())?.streams).not.toBe(hash);
		expect((await store.head(STREAMS))?.etag).not.toBe(object?.etag);
	});

	it("takes what it said of streams away with itself", async () => {
		const { store, register, open, beats } = await world({ streams: () => [STREAM] });
		await register();
		const heartbeat = open();
		await beats(1);
		expect(await store.head(STREAMS)).not.toBeNull();
		await heartbeat[Symbol.asyncDispose]();
		expect(await store.head(STREAMS)).toBeNull();
	});

	it("logs a failure once, and once more when it is over; the loop goes on meanwhile", async () => {
		const { clock, store, register, open, lines, beats, idle } = await world();
		await register();
		open();
		await beats(1);
		store.away = true;
		for (let i = 0; i < 3; i++) {
			await clock.advance(5_000);
			await idle();
			expect(lines).toHaveLength(1);
		}
		store.away = false;
		await clock.advance(5_000);
		await beats(5);
		expect(lines).toEqual([
			expect.stringMatching(/^warn Heartbeats do not reach/),
			"info Heartbeats reach the bucket again",
		]);
	});

	it("gives a bucket that does not answer up after four seconds", async () => {
		const { clock, store, register, open, lines } = await world();
		await register();
		let isAsked = false;
		store.put = (_key, _body, options) =>
			new Promise((_, reject) => {
				isAsked = true;
				const fail = () => reject(new StoreError("store.unavailable", "No answer"));
				if (options?.signal?.aborted) fail();
				else options?.signal?.addEventListener("abort", fail);
			});
		open();
		await eventually("the write", () => isAsked);
		await clock.advance(3_999);
		expect(lines).toEqual([]);
		await clock.advance(1);
		await eventually("the complaint", () => lines.length === 1);
		await clock.advance(1_000);
		await eventually("the next attempt", () => clock.nextAt === clock.now() + 4_000);
	});

	it("tells that the node drains, from the heartbeat after somebody asked for it, and takes it back", async () => {
		const { clock, register, open, read, beats } = await world();
		await register();
		const heartbeat = open();
		await beats(1);
		await register({ draining: true });
		await clock.advance(5_000);
		await beats(2);
		expect(heartbeat.draining).toBe(true);
		await clock.advance(5_000);
		await beats(3);
		expect(await read()).toMatchObject({ state: "draining" });
		await register();
		await clock.advance(5_000);
		await beats(4);
		expect(heartbeat.draining).toBe(false);
	});

	it("obeys no order about another node's key, and says that this one has not joined", async () => {
		const { clock, register, open, lines, beats } = await world();
		await register({ draining: true, key: publicNodeKey(await generateNodeKey()) });
		const heartbeat = open();
		await beats(1);
		expect(lines).toHaveLength(1);
		expect(heartbeat.draining).toBe(false);
		await clock.advance(5_000);
		await beats(2);
		expect(lines).toEqual([expect.stringContaining("has not joined with this key")]);
		await register();
		await clock.advance(5_000);
		await beats(3);
		expect(lines[1]).toBe("info Node edge-1 has joined");
	});

	it("registers the node itself when its control plane is its own", async () => {
		const { store, key, open, lines } = await world({ registersItself: true });
		open();
		const text = await eventually("the registration", async () => (await store.get(REGISTRATION))?.text() ?? false);
		expect(JSON.parse(text)).toMatchObject({ id: "edge-1", key: publicNodeKey(key), draining: false });
		expect(text).not.toContain(key.d);
		expect(lines).toEqual([]);
	});

	it("is taken away when the node stops, and leaves no timer", async () => {
		const { clock, store, register, open, beats } = await world();
		await register();
		const heartbeat = open();
		await beats(1);
		await heartbeat[Symbol.asyncDispose]();
		expect(await store.get(KEY)).toBeNull();
		expect(clock.pending).toBe(0);
	});

	it("does not keep a node from stopping while the bucket is away", async () => {
		const { clock, store, register, open, beats } = await world();
		await register();
		const heartbeat = open();
		await beats(1);
		store.away = true;
		await heartbeat[Symbol.asyncDispose]();
		expect(clock.pending).toBe(0);
	});
});
