import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { commitStream, functionsForTest } from "../../test/support/functions.ts";
import { FakeNode, nodeStreamOf } from "../../test/support/nodes.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";

type Stream = {
	path: string;
	live: boolean;
	node: string | null;
	mediaSequence: number | null;
	health: { viewers: { total: number; hls: number; webrtc: number }; warnings: { code: string }[] } | null;
};
type Page = { items: Stream[]; next: string | null };

async function world() {
	const test = await functionsForTest();
	const { clock, store, api } = test;
	const node = await FakeNode.join("edge-1", { store, clock });
	const list = async (query = ""): Promise<Page> => (await (await api("GET", `/v1/streams${query}`)).json()) as Page;
	const one = async (path: string) => (await (await api("GET", `/v1/streams/${path}`)).json()) as Stream;
	return { ...test, node, list, one };
}

const WARNING = { code: "no_audio" as const, message: "There is no sound", since: "2026-01-01T00:00:00.000Z" };

describe("live streams", () => {
	it("are those that nodes tell of, with how they fare, page by page", async () => {
		const { node, list } = await world();
		const names = Array.from({ length: 25 }, (_, i) => `cam/${String(i).padStart(2, "0")}`);
		await node.say(names.map((name) => nodeStreamOf(name, { warnings: [WARNING] })));
		const seen: string[] = [];
		let query = "?live=true&limit=10";
		for (let pages = 0; pages < 5; pages++) {
			const { items, next } = await list(query);
			seen.push(...items.map(({ path }) => path));
			expect(items[0]).toMatchObject({ live: true, node: "edge-1", committedAt: null });
			expect(items[0]?.health).toMatchObject({ bitsPerSecond: 4_000_000, warnings: [{ code: "no_audio" }] });
			if (next === null) break;
			query = `?live=true&limit=10&cursor=${encodeURIComponent(next)}`;
		}
		expect(seen).toEqual(names);
	});

	it("cost no read for each of them", async () => {
		const { node, store, list } = await world();
		await node.say(Array.from({ length: 100 }, (_, i) => nodeStreamOf(`cam/${i}`)));
		const reads = recordReads(store);
		for (let i = 0; i < 20; i++) expect((await list("?live=true")).items).toHaveLength(100);
		// One listing, a registration, a heartbeat, and what the node says.
		expect(reads.filter(({ key }) => !key.startsWith("config/"))).toHaveLength(4);
	});

	it("are found in the bucket where no node tells", async () => {
		const { clock, store, api } = await functionsForTest();
		await commitStream(store, clock, parsePathName("cam"), 3);
		const { items } = (await (await api("GET", "/v1/streams?live=true")).json()) as Page;
		expect(items).toMatchObject([{ path: "cam", live: true, node: "node", health: null }]);
	});

	it("are told apart from those that are over", async () => {
		const { node, store, clock, list, one } = await world();
		await commitStream(store, clock, parsePathName("old"), 3);
		await commitStream(store, clock, parsePathName("cam"), 3);
		await clock.advance(60_000);
		await node.say([nodeStreamOf("cam"), nodeStreamOf("rtsp/only")]);
		expect((await list("?live=false")).items.map(({ path }) => path)).toEqual(["old"]);
		expect((await list()).items).toMatchObject([
			{ path: "cam", live: true, mediaSequence: 2, health: { viewers: { total: 3 } } },
			{ path: "old", live: false, health: null },
		]);
		expect(await one("cam")).toMatchObject({ live: true, mediaSequence: 2, health: { viewers: { total: 3 } } });
		expect(await one("old")).toMatchObject({ live: false, health: null });
		expect(await one("rtsp/only")).toMatchObject({ live: true, node: "edge-1", mediaSequence: null });
	});

	it("are those alone that the caller may view", async () => {
		const { node, app, tokenFor } = await world();
		await node.say([nodeStreamOf("cam/1"), nodeStreamOf("cam/2")]);
		const response = await app.request("http://functions.test/v1/streams?live=true", {
			headers: { authorization: `Bearer ${await tokenFor("view", "cam/2")}` },
		});
		expect(((await response.json()) as Page).items.map(({ path }) => path)).toEqual(["cam/2"]);
	});

	it("have viewers of HLS: who asked for a playlist within half a minute", async () => {
		const { node, clock, store, get, viewer, tokenFor, one } = await world();
		await commitStream(store, clock, parsePathName("cam"), 3);
		await node.say([nodeStreamOf("cam")]);
		const tokens = [await tokenFor("read", "cam", { lifeMs: 1e6 }), await tokenFor("read", "cam", { lifeMs: 2e6 })];
		for (const ip of ["192.0.2.1", "192.0.2.2"]) {
			viewer.ip = ip;
			for (const token of tokens) expect((await get(`/${token}/cam/index.m3u8`)).status).toBe(200);
		}
		expect((await one("cam")).health?.viewers).toMatchObject({ hls: 4, webrtc: 2, total: 7 });
		await clock.advance(30_000);
		await node.say([nodeStreamOf("cam")]);
		expect((await one("cam")).health?.viewers).toMatchObject({ hls: 0, total: 3 });
	});
});
