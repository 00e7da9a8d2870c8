import { describe, expect, it } from "vitest";
import { generateNodeKey } from "#shared/nodes/node-key.ts";
import { nodeHeartbeatKey } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { FakeNode } from "../../test/support/nodes.ts";
import { type RecordedRead, recordReads } from "../../test/support/recorded-reads.ts";
import { DIRECTORY_AGE_MS, NodeDirectory } from "./node-directory.ts";

async function world() {
	const test = await functionsForTest();
	const asked = recordReads(test.store);
	const reads = () => {
		const times = (of: RecordedRead["method"]) => asked.filter(({ method }) => method === of).length;
		return { list: times("list"), get: times("get") };
	};
	const directory = new NodeDirectory(test.deps);
	const live = async () => (await directory.live()).map(({ registration }) => registration.id);
	return { ...test, directory, live, reads };
}

describe("the directory of nodes", () => {
	it("drops a node 15 seconds after its last heartbeat, to the millisecond, whatever it has cached", async () => {
		const { clock, store, live } = await world();
		const a = await FakeNode.join("a", { store, clock });
		const b = await FakeNode.join("b", { store, clock });
		for (let second = 0; second < 10; second += 5) {
			await clock.advance(5_000);
			await Promise.all([a.beat(), b.beat()]);
			expect(await live()).toEqual(["a", "b"]);
		}
		for (let ms = 5_000; ms < 15_000; ms += 5_000) {
			await clock.advance(5_000);
			await b.beat();
			expect(await live(), `${ms} ms after`).toEqual(["a", "b"]);
		}
		await clock.advance(4_999);
		expect(await live()).toEqual(["a", "b"]);
		await clock.advance(1);
		expect(await live()).toEqual(["b"]);
	});

	it("does not believe a heartbeat that another key signed, and says why", async () => {
		const { clock, store, directory, live } = await world();
		const node = await FakeNode.join("a", { store, clock });
		expect(await live()).toEqual(["a"]);
		await node.beat({ host: "evil.example" }, await generateNodeKey());
		await clock.advance(DIRECTORY_AGE_MS);
		expect(await live()).toEqual([]);
		expect((await directory.all())[0]?.fault).toContain("not signed with the key");
	});

	it("knows no node that never joined", async () => {
		const { clock, store, live } = await world();
		const node = await FakeNode.join("a", { store, clock });
		const text = await (await store.get(nodeHeartbeatKey("a")))?.text();
		await store.put(nodeHeartbeatKey("b"), text ?? "");
		await node.beat();
		expect(await live()).toEqual(["a"]);
	});

	it("takes an old heartbeat that somebody wrote again for what it is", async () => {
		const { clock, store, live } = await world();
		await FakeNode.join("a", { store, clock });
		const text = (await (await store.get(nodeHeartbeatKey("a")))?.text()) ?? "";
		await clock.advance(15_000);
		await store.put(nodeHeartbeatKey("a"), text);
		expect(await live()).toEqual([]);
	});

	it("is not kept waiting by a node whose clock is ahead: the bucket's clock counts as well", async () => {
		const { clock, store, live } = await world();
		await FakeNode.join("a", { store, clock }, { writtenMs: clock.now() + 3_600_000 });
		expect(await live()).toEqual(["a"]);
		await clock.advance(15_000);
		expect(await live()).toEqual([]);
	});

	it("costs one listing and one read of each live node for all requests of three seconds, and nothing while nobody asks", async () => {
		const { clock, store, directory, reads } = await world();
		const [a, b] = [await FakeNode.join("a", { store, clock }), await FakeNode.join("b", { store, clock })];
		await Promise.all(Array.from({ length: 100 }, () => directory.live()));
		expect(reads()).toEqual({ list: 1, get: 4 });
		await clock.advance(60_000);
		await Promise.all([a.beat(), b.beat()]);
		for (let i = 0; i < 100; i++) await directory.live();
		expect(reads()).toEqual({ list: 2, get: 6 });
	});

	it("reads nothing of nodes that were dead when it found them", async () => {
		const { clock, store, directory, reads } = await world();
		await FakeNode.join("a", { store, clock });
		await clock.advance(60_000);
		expect(await directory.live()).toEqual([]);
		expect(reads()).toEqual({ list: 1, get: 1 });
	});

	it("answers from what it knows while the bucket is away, until that is too old", async () => {
		const { clock, store, live } = await world();
		await FakeNode.join("a", { store, clock });
		expect(await live()).toEqual(["a"]);
		store.away = true;
		await clock.advance(10_000);
		expect(await live()).toEqual(["a"]);
		await clock.advance(5_000);
		expect(await live()).toEqual([]);
	});
});
