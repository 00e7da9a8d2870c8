import { describe, expect, it } from "vitest";
import type { NodeDescription } from "../../../routes/nodes.ts";
import { byRegion, counted, fleetLoad, statesInWords } from "./fleet.ts";
import { hostFault, joinCommand, regionFault } from "./join-command.ts";
import { mapDots } from "./map-dot.ts";
import { nodeAddresses } from "./node-address.ts";

const ENDPOINTS = {
	rtsp: 8554,
	rtsps: null,
	webrtc: 8889,
	webrtcEncryption: true,
	webrtcURL: null,
	rtmp: 1935,
	srt: null,
};

function node(id: string, over: Partial<NodeDescription> = {}): NodeDescription {
	return {
		id,
		state: "active",
		drainRequested: false,
		joinedAt: "2026-01-01T00:00:00.000Z",
		seenAt: "2026-01-01T00:00:00.000Z",
		startedAt: "2026-01-01T00:00:00.000Z",
		region: "eu",
		version: "0.1.0",
		host: "node1.example",
		endpoints: ENDPOINTS,
		load: { cpu: 0.25, streams: 2, readers: 3, bytesInPerSecond: 100, bytesOutPerSecond: 300 },
		sequence: 1,
		clockOffsetMs: 0,
		fault: null,
		...over,
	};
}

describe("byRegion", () => {
	it("sorts regions by name, with the nodes that say none at the end", () => {
		const groups = byRegion([node("a", { region: "" }), node("b", { region: "us" }), node("c"), node("d")]);
		expect(groups.map(({ region, nodes }) => [region, nodes.map(({ id }) => id)])).toEqual([
			["eu", ["c", "d"]],
			["us", ["b"]],
			["", ["a"]],
		]);
	});
});

describe("fleetLoad", () => {
	it("adds up what is up, and leaves out what a dead node said last", () => {
		const load = fleetLoad([node("a"), node("b", { load: null }), node("c", { state: "down" }), node("d")]);
		expect(load).toEqual({
			nodes: 3,
			cpu: 0.25,
			streams: 4,
			readers: 6,
			bytesInPerSecond: 200,
			bytesOutPerSecond: 600,
		});
	});

	it("is zero without nodes", () => {
		expect(fleetLoad([])).toMatchObject({ nodes: 0, cpu: 0, streams: 0 });
	});
});

describe("statesInWords", () => {
	it("leaves out what there is none of", () => {
		expect(statesInWords([node("a"), node("b"), node("c", { state: "down" })])).toBe("2 active, 1 down");
	});
});

describe("nodeAddresses", () => {
	it("lists the protocols that the node serves", () => {
		expect(nodeAddresses(node("a"), "tv.example")).toEqual([
			{ protocol: "RTSP", address: "rtsp://node1.example:8554" },
			{ protocol: "WHIP and WHEP", address: "https://node1.example:8889" },
			{ protocol: "RTMP", address: "rtmp://node1.example:1935" },
		]);
	});

	it("takes the host of the functions where the node has none, and the proxy's address where there is one", () => {
		const endpoints = { ...ENDPOINTS, rtmp: null, webrtcURL: "https://rtc.example/w" };
		expect(nodeAddresses(node("a", { host: null, endpoints }), "2001:db8::1")).toEqual([
			{ protocol: "RTSP", address: "rtsp://[2001:db8::1]:8554" },
			{ protocol: "WHIP and WHEP", address: "https://rtc.example/w" },
		]);
	});

	it("knows none before the first heartbeat", () => {
		expect(nodeAddresses(node("a", { endpoints: null }), "tv.example")).toEqual([]);
	});
});

describe("joinCommand", () => {
	it("names what was filled in, and nothing else", () => {
		const join = { control: "https://tv.example", key: "slk_abc", region: "", publicHost: "" };
		expect(joinCommand(join)).toBe("npx sluice join --control https://tv.example --key slk_abc");
		expect(joinCommand({ ...join, region: "eu", publicHost: "[2001:db8::1]" })).toBe(
			"npx sluice join --control https://tv.example --key slk_abc --region eu --public-host '[2001:db8::1]'",
		);
	});
});

describe("regionFault and hostFault", () => {
	it("let pass what the command takes", () => {
		expect([regionFault(""), regionFault("eu-central-1"), hostFault(""), hostFault("10.0.0.7")]).toEqual([
			null,
			null,
			null,
			null,
		]);
	});

	it("say what is wrong with the rest", () => {
		expect(regionFault("a b")).toMatch(/letters/);
		expect(hostFault("https://node1.example/")).toMatch(/IP address/);
	});
});

describe("counted", () => {
	it("has a plural", () => {
		expect([counted(0, "stream"), counted(1, "stream"), counted(2, "reader")]).toEqual([
			"0 streams",
			"1 stream",
			"2 readers",
		]);
	});
});

describe("mapDots", () => {
	const load = (streams: number) => ({ cpu: 0, streams, readers: 1, bytesInPerSecond: 0, bytesOutPerSecond: 0 });

	it("has a dot for each region whose place is known, the larger the more streams", () => {
		const { dots, elsewhere } = mapDots(
			byRegion([
				node("a", { region: "eu-central-1", load: load(4) }),
				node("b", { region: "us-east-1", load: load(1) }),
				node("c", { region: "us-west-2", state: "down" }),
				node("d", { region: "cellar" }),
			]),
		);
		expect(dots.map(({ region, isDown }) => [region, isDown])).toEqual([
			["eu-central-1", false],
			["us-east-1", false],
			["us-west-2", true],
		]);
		expect(dots[0]?.radius).toBeGreaterThan(dots[1]?.radius ?? 0);
		expect(dots[0]?.words).toBe("eu-central-1: 1 active; 4 streams, 1 reader");
		expect(elsewhere.map(({ region }) => region)).toEqual(["cellar"]);
	});
});
