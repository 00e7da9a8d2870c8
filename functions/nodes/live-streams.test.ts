import { describe, expect, it } from "vitest";
import type { NodeStream } from "#shared/nodes/node-streams.ts";
import { nodeStreamsKey } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { FakeNode, nodeStreamOf } from "../../test/support/nodes.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";
import { LiveStreams, type LocalNode } from "./live-streams.ts";
import { DIRECTORY_AGE_MS, NodeDirectory } from "./node-directory.ts";

async function world() {
	const test = await functionsForTest();
	const asked = recordReads(test.store);
	const reads = () => {
		const gets = asked.filter(({ method }) => method === "get");
		const streams = gets.filter(({ key }) => key.endsWith("streams.json"));
		return { list: asked.filter(({ method }) => method === "list").length, get: gets.length, streams: streams.length };
	};
	const live = new LiveStreams(test.deps, new NodeDirectory(test.deps));
	const told = async (local: LocalNode | null = null) =>
		[...(await live.all(local)).streams].map(([path, { node }]) => `${path} on ${node}`).sort();
	return { ...test, live, told, reads };
}

describe("the live streams of all nodes", () => {
	it("are what the nodes say of them, until a node is dead", async () => {
		const { clock, store, told } = await world();
		const [a, b] = [await FakeNode.join("a", { store, clock }), await FakeNode.join("b", { store, clock })];
		await a.say([nodeStreamOf("cam/1"), nodeStreamOf("cam/2")]);
		await b.say([nodeStreamOf("cam/3")]);
		expect(await told()).toEqual(["cam/1 on a", "cam/2 on a", "cam/3 on b"]);
		await clock.advance(14_000);
		await a.say([nodeStreamOf("cam/2")]);
		await clock.advance(DIRECTORY_AGE_MS);
		expect(await told()).toEqual(["cam/2 on a"]);
	});

	it("cost one listing, and two reads of each node that says something new, for all requests of three seconds", async () => {
		const { clock, store, live, reads } = await world();
		const node = await FakeNode.join("a", { store, clock });
		const many: NodeStream[] = Array.from({ length: 500 }, (_, i) => nodeStreamOf(`cam/${i}`));
		await node.say(many);
		await Promise.all(Array.from({ length: 100 }, () => live.all(null)));
		expect(reads()).toEqual({ list: 1, get: 3, streams: 1 });
		await clock.advance(5_000);
		await node.say(many);
		for (let i = 0; i < 100; i++) await live.all(null);
		expect(reads()).toEqual({ list: 2, get: 4, streams: 1 });
		await clock.advance(60_000);
		expect(reads().list).toBe(2);
	});

	it("stay what they were while a node has written others that its heartbeat does not vouch for", async () => {
		const { clock, store, told, reads } = await world();
		const node = await FakeNode.join("a", { store, clock });
		await node.say([nodeStreamOf("cam/1")]);
		expect(await told()).toEqual(["cam/1 on a"]);
		await node.beat({ streams: "A".repeat(43) });
		await clock.advance(DIRECTORY_AGE_MS);
		for (let i = 0; i < 50; i++) expect(await told()).toEqual(["cam/1 on a"]);
		expect(reads().streams).toBe(2);
		await store.put(nodeStreamsKey("a"), "x".repeat(5 * 1024 * 1024));
		await clock.advance(DIRECTORY_AGE_MS);
		expect(await told()).toEqual(["cam/1 on a"]);
	});

	it("are of the node that has the younger stream, when two say they have the path", async () => {
		const { clock, store, told } = await world();
		const [a, b] = [await FakeNode.join("a", { store, clock }), await FakeNode.join("b", { store, clock })];
		await a.say([nodeStreamOf("cam", { since: "2026-01-01T00:00:05.000Z" })]);
		await b.say([nodeStreamOf("cam", { since: "2026-01-01T00:00:04.000Z" })]);
		expect(await told()).toEqual(["cam on a"]);
	});

	it("are told without a bucket by a node in the same process", async () => {
		const { live, told } = await world();
		expect((await live.all(null)).isTold).toBe(false);
		const local = { id: "here", streams: () => [nodeStreamOf("cam")] };
		expect(await told(local)).toEqual(["cam on here"]);
		expect((await live.all(local)).isTold).toBe(true);
	});
});
