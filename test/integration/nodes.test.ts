import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

const OFFER = { method: "POST", headers: { "content-type": "application/sdp" }, body: "v=0\r\n" };

type Located = {
	node: { id: string };
	urls: { rtsp: string; whip: string | null; whep: string | null };
	live: boolean;
};

/** Functions without doors for media, and a way to start nodes that join them, over one folder. */
async function cloud(folder: string) {
	const front = await Sluice.start({
		folder,
		config: "rtsp: false\nwebrtc: false\nnodeId: front\nnodeHeartbeat: 0s",
	});
	const admin = await front.adminToken();
	const token = async (name: string, action: "--read" | "--publish") =>
		(JSON.parse(await front.cli("token", "--path", name, action, "--json")) as { token: string }).token;
	const node = (home: string, id: string) => {
		const args = ["join", "--control", front.url, "--key", admin, "--public-host", "127.0.0.1"];
		return Sluice.start({ folder: home, config: `nodeId: ${id}`, nodeOnly: true, command: args });
	};
	const nodes = async () => {
		const { items } = (await (await front.api("GET", "/v1/nodes")).json()) as {
			items: { id: string; state: string }[];
		};
		return Object.fromEntries(items.map(({ id, state }) => [id, state]));
	};
	const locate = async (name: string, shown: string, action: "ingest" | "read"): Promise<Located | null> => {
		const response = await fetch(`${front.url}/${action}/${name}?token=${shown}`);
		return response.ok ? ((await response.json()) as Located) : null;
	};
	return { front, token, node, nodes, locate };
}

describe("two nodes that joined the functions with one command", () => {
	it("get publishers and viewers by 307, and kill -9 of one takes it out of every answer within 15 seconds", async () => {
		await using folder = await tempDir();
		await using homeA = await tempDir();
		await using homeB = await tempDir();
		const { front, token, node, nodes, locate } = await cloud(folder.path);
		await using _front = front;
		const publisher = await token("cam01", "--publish");
		const whip = () => fetch(`${front.url}/whip/cam01?token=${publisher}`, { ...OFFER, redirect: "manual" });
		expect((await whip()).status).toBe(503);

		const [a, b] = await Promise.all([node(homeA.path, "edge-a"), node(homeB.path, "edge-b")]);
		await using _a = a;
		await using _b = b;
		await eventually("both nodes are up", async () => {
			const { "edge-a": first, "edge-b": second } = await nodes();
			return first === "active" && second === "active";
		});
		for (const file of ["joined.json", "node-key.json", "secrets.json"]) {
			expect((await stat(path.join(homeA.path, "data", file))).mode & 0o777, file).toBe(0o600);
		}
		const registered = await readFile(path.join(folder.path, "data/bucket/nodes/edge-a/registration.json"), "utf8");
		const { d } = JSON.parse(await readFile(path.join(homeA.path, "data/node-key.json"), "utf8")) as { d: string };
		expect(registered).not.toContain(d);

		const sent = await whip();
		const byPort = new Map([
			[`http://127.0.0.1:${a.ports.webrtc}/cam01/whip?token=${publisher}`, a],
			[`http://127.0.0.1:${b.ports.webrtc}/cam01/whip?token=${publisher}`, b],
		]);
		expect([sent.status, byPort.has(sent.headers.get("location") ?? "")]).toEqual([307, true]);
		// The node takes the token of the functions, and finds the description wanting: nothing else is wrong.
		const followed = await fetch(`${front.url}/whip/cam01?token=${publisher}`, OFFER);
		expect([followed.redirected, followed.status]).toEqual([true, 400]);

		const place = await locate("cam01", publisher, "ingest");
		const owner = place?.node.id === "edge-a" ? a : b;
		const other = owner === a ? b : a;
		const otherId = owner === a ? "edge-b" : "edge-a";
		expect(place?.urls.rtsp).toBe(owner.rtsp("cam01"));
		await using camera = publish(await sample(), `${other.rtsp("cam01")}?token=${publisher}`);
		const viewer = await token("cam01", "--read");
		await eventually("the functions know who has the stream", async () => {
			const [read, ingest] = [await locate("cam01", viewer, "read"), await locate("cam01", publisher, "ingest")];
			return read?.live === true && read.node.id === otherId && ingest?.node.id === otherId;
		});
		const whep = await fetch(`${front.url}/whep/cam01?token=${viewer}`, { ...OFFER, redirect: "manual" });
		expect(whep.headers.get("location")).toContain(`:${other.ports.webrtc}/cam01/whep`);

		await other.kill();
		const killedAt = performance.now();
		let lastNamedMs = 0;
		const ask = async () => {
			const [ingest, read] = [await locate("cam01", publisher, "ingest"), await locate("cam01", viewer, "read")];
			const location = (await whip()).headers.get("location") ?? "";
			const names = JSON.stringify([ingest, read, location]);
			const atMs = performance.now() - killedAt;
			if (names.includes(otherId) || names.includes(`:${other.ports.webrtc}/`)) lastNamedMs = atMs;
			return atMs > 17_000;
		};
		await eventually("17 seconds of questions", ask, { timeoutMs: 20_000, everyMs: 100 });
		console.log(`nodes: the node that was killed was named last ${(lastNamedMs / 1000).toFixed(1)} s after kill -9`);
		expect(lastNamedMs).toBeLessThan(15_000);
		expect(await nodes()).toMatchObject({ [otherId]: "down" });
		expect((await locate("cam01", publisher, "ingest"))?.node.id).toBe(place?.node.id);
		await camera.stop("SIGKILL");
	}, 120_000);

	it("leave the list at once when they are stopped, and take no new streams while they drain", async () => {
		await using folder = await tempDir();
		await using homeA = await tempDir();
		const { front, token, node, nodes } = await cloud(folder.path);
		await using _front = front;
		await using a = await node(homeA.path, "edge-a");
		await eventually("the node is up", async () => (await nodes())["edge-a"] === "active");
		const publisher = await token("cam01", "--publish");
		const film = await sample();
		await using first = publish(film, `${a.rtsp("cam01")}?token=${publisher}`);
		await a.ready("cam01");

		expect((await front.api("POST", "/v1/nodes/edge-a/drain")).status).toBe(204);
		expect(await nodes()).toEqual({ "edge-a": "draining" });
		expect((await fetch(`${front.url}/whip/cam02?token=${await token("cam02", "--publish")}`, OFFER)).status).toBe(503);
		await a.program.says("The node drains", 15_000);
		const refused = publish(film, `${a.rtsp("cam02")}?token=${await token("cam02", "--publish")}`);
		await refused.exited;
		expect(refused.errors).toContain("takes no new streams");
		expect(first.running).toBe(true);

		await a.stop();
		expect(await nodes()).toEqual({ "edge-a": "down" });
		await using again = await node(homeA.path, "edge-a");
		await eventually("it is up again, and still drains", async () => (await nodes())["edge-a"] === "draining");
		expect(again.program.running).toBe(true);
	}, 120_000);
});
