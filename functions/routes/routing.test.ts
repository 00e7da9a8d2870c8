import { describe, expect, it } from "vitest";
import { issueStreamKey } from "#shared/access/stream-key.ts";
import { generateWebhookSecret, isSignedWebhook } from "#shared/events/standard-webhooks.ts";
import { parsePathName } from "#shared/path-name.ts";
import { commitStream, functionsForTest } from "../../test/support/functions.ts";
import { FakeNode } from "../../test/support/nodes.ts";
import { recordReads } from "../../test/support/recorded-reads.ts";
import { createApp } from "../app.ts";

const OFFER = { method: "POST", headers: { "content-type": "application/sdp" }, body: "v=0\r\n" };

async function world() {
	const test = await functionsForTest();
	const publish = await test.tokenFor("publish", "cam01");
	const read = await test.tokenFor("read", "cam01");
	const whip = (query = "", headers: Record<string, string> = { authorization: `Bearer ${publish}` }) =>
		test.app.request(`http://functions.test/whip/cam01${query}`, {
			...OFFER,
			headers: { ...OFFER.headers, ...headers },
		});
	const ask = (address: string, token: string) => test.get(address, { authorization: `Bearer ${token}` });
	return { ...test, publish, read, whip, ask };
}

describe("POST /whip/{path}", () => {
	it("sends a publisher on to a node with 307, the query kept, in a way that pages may follow", async () => {
		const { store, clock, whip } = await world();
		await FakeNode.join("a", { store, clock });
		const response = await whip("?region=eu&x=1%202");
		expect(response.status).toBe(307);
		expect(response.headers.get("location")).toBe("http://a.example:8889/cam01/whip?region=eu&x=1%202");
		expect(response.headers.get("access-control-allow-origin")).toBe("*");
		expect(response.headers.get("cache-control")).toBe("no-store");
		expect(await response.text()).toBe("");
	});

	it("carries the token on in the query for browsers alone, which drop it from the header", async () => {
		const { store, clock, whip, publish } = await world();
		await FakeNode.join("a", { store, clock }, { endpoints: { webrtcEncryption: true } });
		const fromPage = await whip("?a=b", { authorization: `Bearer ${publish}`, origin: "https://page.example" });
		expect(fromPage.headers.get("location")).toBe(`https://a.example:8889/cam01/whip?a=b&token=${publish}`);
		const shown = await whip(`?token=${publish}`, { origin: "https://page.example" });
		expect(shown.headers.get("location")).toBe(`https://a.example:8889/cam01/whip?token=${publish}`);
	});

	it("prefers what a proxy of the node is called, and fills in its own host for a node beside it", async () => {
		const { store, clock, whip } = await world();
		const node = await FakeNode.join("a", { store, clock }, { endpoints: { webrtcURL: "https://a.example/live/" } });
		expect((await whip()).headers.get("location")).toBe("https://a.example/live/cam01/whip");
		await clock.advance(5_000);
		await node.beat({ host: null });
		expect((await whip()).headers.get("location")).toBe("http://functions.test:8889/cam01/whip");
	});

	it("takes a stream key, as a token, as a password and in the query; and nothing without one", async () => {
		const { store, clock, whip, deps, read } = await world();
		await FakeNode.join("a", { store, clock });
		const use = { action: "publish", path: "cam01" } as const;
		const key = await issueStreamKey(deps.settings.streamKeySecrets, use, null);
		const other = await issueStreamKey(deps.settings.streamKeySecrets, { ...use, path: "cam02" }, null);
		expect((await whip("", { authorization: `Bearer ${key}` })).status).toBe(307);
		expect((await whip("", { authorization: `Bearer user:${key}` })).status).toBe(307);
		expect((await whip("", { authorization: `Basic ${btoa(`user:${key}`)}` })).status).toBe(307);
		expect((await whip(`?token=${key}`, {})).status).toBe(307);
		for (const [header, status] of [
			["", 401],
			[`Bearer ${other}`, 401],
			["Bearer guess", 401],
			["Basic %%%", 401],
			[`Bearer ${read}`, 403],
		] as const) {
			expect((await whip("", header === "" ? {} : { authorization: header })).status, header).toBe(status);
		}
	});

	it("follows the stream: to the node that has it while it lives there, and elsewhere once its lease is over", async () => {
		const { store, clock, whip } = await world();
		const nodes = await Promise.all(
			["node", "b", "c", "d"].map((id) =>
				FakeNode.join(id, { store, clock }, { load: { cpu: id === "node" ? 0.9 : 0.1 } }),
			),
		);
		const before = (await whip()).headers.get("location");
		expect(before).not.toContain("http://node.example");
		const writer = await commitStream(store, clock, parsePathName("cam01"), 2);
		await Promise.all(nodes.map((node) => node.beat({ load: { cpu: node.id === "node" ? 0.9 : 0.1 } })));
		await writer.renew(new AbortController().signal);
		await clock.advance(3_000);
		expect((await whip()).headers.get("location")).toBe("http://node.example:8889/cam01/whip");
		await writer.close(new AbortController().signal);
		await clock.advance(7_000);
		await Promise.all(nodes.map((node) => node.beat({ load: { cpu: node.id === "node" ? 0.9 : 0.1 } })));
		await clock.advance(3_000);
		expect((await whip()).headers.get("location")).toBe(before);
	});

	it("names another node to a publisher that could not reach the one with its stream, before anybody knows that it is dead", async () => {
		const { store, clock, whip } = await world();
		await FakeNode.join("node", { store, clock });
		await FakeNode.join("b", { store, clock });
		await commitStream(store, clock, parsePathName("cam01"), 1);
		expect((await whip()).headers.get("location")).toContain("http://node.example");
		expect((await whip("?avoid=x,node")).headers.get("location")).toContain("http://b.example");
	});

	it("sends a publisher elsewhere once the node with its stream has not renewed its lease for five seconds", async () => {
		const { store, clock, whip } = await world();
		await FakeNode.join("node", { store, clock });
		await FakeNode.join("b", { store, clock }, { load: { cpu: 0.9 } });
		const writer = await commitStream(store, clock, parsePathName("cam01"), 1);
		await writer.renew(new AbortController().signal);
		await clock.advance(4_999);
		expect((await whip()).headers.get("location")).toContain("http://node.example");
		await clock.advance(1);
		expect((await whip()).headers.get("location")).toContain("http://b.example");
		await writer.renew(new AbortController().signal);
		await clock.advance(1_000);
		expect((await whip()).headers.get("location")).toContain("http://node.example");
	});

	it("gives a node that drains no new stream, from the moment that it is asked to", async () => {
		const { store, clock, whip, api } = await world();
		await FakeNode.join("a", { store, clock });
		await FakeNode.join("b", { store, clock }, { load: { cpu: 0.9 } });
		expect((await whip()).headers.get("location")).toContain("a.example");
		expect((await api("POST", "/v1/nodes/a/drain")).status).toBe(204);
		expect((await whip()).headers.get("location")).toContain("b.example");
		expect((await api("DELETE", "/v1/nodes/a/drain")).status).toBe(204);
		expect((await whip()).headers.get("location")).toContain("a.example");
	});

	it("costs the bucket no read of its own: a thousand clients cost a listing and a lease", async () => {
		const { store, clock, whip } = await world();
		await FakeNode.join("a", { store, clock });
		const reads = recordReads(store);
		for (let i = 0; i < 1_000; i++) expect((await whip()).status).toBe(307);
		expect(reads.filter(({ key }) => /^(?:nodes|streams)\//.test(key))).toHaveLength(4);
	});
});

describe("POST /whep/{path}", () => {
	it("sends a viewer to the node that has the stream, though it drains", async () => {
		const { store, clock, app, read } = await world();
		const nodes = [await FakeNode.join("node", { store, clock }), await FakeNode.join("b", { store, clock })];
		await commitStream(store, clock, parsePathName("cam01"), 1);
		await Promise.all(nodes.map((node) => node.beat({ state: node.id === "node" ? "draining" : "active" })));
		const response = await app.request(`http://functions.test/whep/cam01?token=${read}`, OFFER);
		expect(response.headers.get("location")).toBe(`http://node.example:8889/cam01/whep?token=${read}`);
	});
});

describe("when no node is up", () => {
	it("answers 503 with Retry-After, and calls for one, signed, at most every 30 seconds", async () => {
		const test = await functionsForTest();
		const secret = generateWebhookSecret();
		const wakeUrl = "https://scale.example/up";
		const app = createApp({ ...test.deps, settings: { ...test.deps.settings, wakeUrl, wakeSecret: secret } });
		const token = await test.tokenFor("publish", "cam01");
		const whip = () => app.request(`http://functions.test/whip/cam01?region=eu&token=${token}`, OFFER);
		for (let second = 0; second < 45; second += 5) {
			const response = await whip();
			expect([response.status, response.headers.get("retry-after")]).toEqual([503, "15"]);
			expect(await response.json()).toMatchObject({ code: "node.none" });
			await test.clock.advance(5_000);
		}
		expect(test.sent.map(({ url }) => url)).toEqual([wakeUrl, wakeUrl]);
		const [first] = test.sent;
		expect(JSON.parse(first?.body ?? "")).toMatchObject({
			type: "nodes.wanted",
			data: { region: "eu", reason: "none" },
		});
		const headers = first?.headers as Parameters<typeof isSignedWebhook>[0];
		expect(await isSignedWebhook(headers, first?.body ?? "", [secret], first?.atMs ?? 0)).toBe(true);
		expect((await app.request("http://functions.test/whip/cam01", OFFER)).status).toBe(401);
	});

	it("answers the same when whoever could start one cannot be called, and calls nobody unless it was told whom", async () => {
		const test = await functionsForTest();
		const token = await test.tokenFor("publish", "cam01");
		const address = `http://functions.test/whip/cam01?token=${token}`;
		expect((await test.app.request(address, OFFER)).status).toBe(503);
		expect(test.sent).toEqual([]);
		test.endpoint.answer = () => Promise.reject(new Error("no route"));
		const { deps } = await functionsForTest();
		const settings = { ...test.deps.settings, wakeUrl: "https://x.example/", wakeSecret: generateWebhookSecret() };
		const app = createApp({ ...test.deps, store: deps.store, settings });
		expect((await app.request(address, OFFER)).status).toBe(503);
		expect(test.sent).toHaveLength(1);
	});
});

describe("when all nodes are busy", () => {
	it("sends publishers on all the same, and asks for another node", async () => {
		const test = await functionsForTest();
		const { store, clock } = test;
		const settings = { ...test.deps.settings, wakeUrl: "https://x.example/", wakeSecret: generateWebhookSecret() };
		const app = createApp({ ...test.deps, settings });
		const whip = async (path: string) => {
			const token = await test.tokenFor("publish", path);
			return (await app.request(`http://functions.test/whip/${path}?token=${token}`, OFFER)).status;
		};
		const a = await FakeNode.join("a", { store, clock }, { load: { cpu: 0.9 } });
		const b = await FakeNode.join("b", { store, clock }, { load: { cpu: 0.5 } });
		expect([await whip("cam01"), test.sent.length]).toEqual([307, 0]);
		await clock.advance(5_000);
		await Promise.all([a.beat({ load: { cpu: 0.9 } }), b.beat({ load: { cpu: 0.8 } })]);
		expect([await whip("cam01"), test.sent.length]).toEqual([307, 1]);
		expect(JSON.parse(test.sent[0]?.body ?? "")).toMatchObject({ data: { reason: "busy" } });
	});
});

describe("GET /ingest/{path} and /read/{path}", () => {
	it("name every address of the best node, and other nodes after it", async () => {
		const { store, clock, ask, publish } = await world();
		await FakeNode.join("a", { store, clock }, { region: "eu", endpoints: { rtsps: 8322, srt: 8890, rtmp: 1935 } });
		await FakeNode.join("b", { store, clock }, { host: "2001:db8::1", region: "us" });
		const response = await ask("/ingest/cam01?region=eu", publish);
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual({
			path: "cam01",
			action: "publish",
			live: false,
			node: { id: "a", region: "eu" },
			urls: {
				rtsp: "rtsp://a.example:8554/cam01",
				rtsps: "rtsps://a.example:8322/cam01",
				whip: "http://a.example:8889/cam01/whip",
				whep: null,
				page: "http://a.example:8889/cam01/publish",
				rtmp: "rtmp://a.example:1935/cam01",
				srt: "srt://a.example:8890?streamid=publish:cam01",
			},
			hls: null,
			alternatives: [
				{
					node: { id: "b", region: "us" },
					urls: {
						rtsp: "rtsp://[2001:db8::1]:8554/cam01",
						rtsps: null,
						whip: "http://[2001:db8::1]:8889/cam01/whip",
						whep: null,
						page: "http://[2001:db8::1]:8889/cam01/publish",
						rtmp: null,
						srt: null,
					},
				},
			],
		});
	});

	it("say where a stream is watched: on the node that has it, and over HLS", async () => {
		const { store, clock, ask, read } = await world();
		await FakeNode.join("node", { store, clock }, { load: { cpu: 1 } });
		await FakeNode.join("b", { store, clock });
		await commitStream(store, clock, parsePathName("cam01"), 1);
		const answer = (await (await ask("/read/cam01", read)).json()) as Record<string, unknown>;
		expect(answer).toMatchObject({ live: true, node: { id: "node" }, urls: { whip: null } });
		expect(answer["hls"]).toBe(`http://functions.test/${read}/cam01/index.m3u8`);
	});

	it("tell nothing to who may not do it", async () => {
		const { store, clock, ask, get, publish, read } = await world();
		await FakeNode.join("a", { store, clock });
		expect((await ask("/ingest/cam01", read)).status).toBe(403);
		expect((await ask("/read/cam01", publish)).status).toBe(403);
		expect((await ask("/read/cam02", read)).status).toBe(403);
		expect((await get("/read/cam01")).status).toBe(401);
		expect((await ask("/read/..%2fcam01", read)).status).toBe(403);
	});
});
