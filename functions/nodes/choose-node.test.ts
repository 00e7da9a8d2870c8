import { describe, expect, it } from "vitest";
import { generateNodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { type HeartbeatChanges, heartbeatOf } from "../../test/support/nodes.ts";
import { rankNodes, type Wish } from "./choose-node.ts";
import type { LiveNode } from "./node-directory.ts";

const key = publicNodeKey(await generateNodeKey());

function node(id: string, changes: HeartbeatChanges = {}, draining = false): LiveNode {
	return {
		registration: { v: 1, id, key, joinedMs: 0, draining },
		heartbeat: heartbeatOf(id, 0, changes),
		seenMs: 0,
		fault: null,
	};
}

function ids(nodes: readonly LiveNode[], wish: Partial<Wish> = {}): string[] {
	const ranked = rankNodes(nodes, { action: "publish", path: "cam01", region: "", owner: null, ...wish });
	return ranked.map(({ registration }) => registration.id);
}

const PATHS = Array.from({ length: 2_000 }, (_, i) => `site/cam${i}`);

describe("the node that a client is sent to", () => {
	it("is the one that has the stream, wherever it is and however busy", () => {
		const nodes = [node("a", { region: "eu" }), node("b", { region: "us", load: { cpu: 0.9 } }), node("c")];
		expect(ids(nodes, { owner: "b", region: "eu" })[0]).toBe("b");
		expect(ids(nodes, { owner: "b", region: "eu", action: "read" })[0]).toBe("b");
	});

	it("is of the client's region, and elsewhere only when none is there", () => {
		const nodes = [node("a", { region: "eu", load: { cpu: 0.8 } }), node("b", { region: "us" })];
		expect(ids(nodes, { region: "eu" })).toEqual(["a", "b"]);
		expect(ids(nodes, { region: "us" })).toEqual(["b", "a"]);
		expect(ids(nodes, { region: "ap" })[0]).toBe("b");
	});

	it("is the one with the lower load", () => {
		const nodes = [
			node("a", { load: { cpu: 0.8 } }),
			node("b", { load: { cpu: 0.3 } }),
			node("c", { load: { cpu: 0 } }),
		];
		for (const path of PATHS.slice(0, 50)) expect(ids(nodes, { path })).toEqual(["c", "b", "a"]);
	});

	it("is never one that drains, save for viewers of a stream that is there", () => {
		const byWord = node("a", { state: "draining" });
		const byOrder = node("b", {}, true);
		expect(ids([byWord, byOrder, node("c", { load: { cpu: 1 } })])).toEqual(["c"]);
		expect(ids([byWord, byOrder], { owner: "a" })).toEqual([]);
		expect(ids([byWord, byOrder], { owner: "a", action: "read" })).toEqual(["a"]);
		expect(ids([byWord, byOrder], { owner: "b", action: "read" })).toEqual(["b"]);
	});

	it("is another one than those that the client could not reach, whatever speaks for them, while there is another", () => {
		const nodes = [node("a", { region: "eu" }), node("b", { region: "us", load: { cpu: 0.9 } })];
		const wish = { owner: "a", region: "eu" };
		expect(ids(nodes, { ...wish, avoid: ["a"] })).toEqual(["b", "a"]);
		expect(ids(nodes, { ...wish, avoid: ["a", "b"] })).toEqual(["a", "b"]);
	});

	it("serves the protocol that is asked for", () => {
		const nodes = [node("a", { endpoints: { webrtc: null } }), node("b", { load: { cpu: 0.9 } })];
		expect(ids(nodes, { protocol: "webrtc" })).toEqual(["b"]);
		expect(ids(nodes)[0]).toBe("a");
		const behindProxy = node("c", { endpoints: { webrtc: null, webrtcURL: "https://c.example/" } });
		expect(ids([...nodes, behindProxy], { protocol: "webrtc" })[0]).toBe("c");
	});

	it("is the same for a path each time, in whatever order the nodes are listed and however their load moves a little", () => {
		const some = ["a", "b", "c", "d"];
		for (const path of PATHS.slice(0, 200)) {
			const before = ids(
				some.map((id) => node(id, { load: { cpu: 0.1 } })),
				{ path },
			);
			const after = ids(
				some.toReversed().map((id, i) => node(id, { load: { cpu: 0.02 * i } })),
				{ path },
			);
			expect(after).toEqual(before);
		}
	});

	it("changes for the paths of a node that goes, and for no other; equal nodes share the paths evenly", () => {
		const all = ["node-1", "node-2", "node-3", "node-4", "node-5"].map((id) => node(id));
		const left = all.slice(1);
		const counts = new Map<string, number>();
		for (const path of PATHS) {
			const [before = ""] = ids(all, { path });
			const [after] = ids(left, { path });
			counts.set(before, (counts.get(before) ?? 0) + 1);
			if (before !== "node-1") expect(after).toBe(before);
		}
		// 400 each; the standard deviation is 18.
		for (const { registration } of all) expect(Math.abs((counts.get(registration.id) ?? 0) - 400)).toBeLessThan(90);
	});
});
