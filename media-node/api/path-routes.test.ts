import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { controlApi } from "../../test/support/control-api.ts";
import type { StreamSnapshot } from "../stream/stream.ts";

const SINCE = "2026-01-02T03:04:05.678Z";

function stream(name: string, changes: Partial<StreamSnapshot> = {}): StreamSnapshot {
	return {
		name: parsePathName(name),
		id: "stream",
		ready: true,
		sinceMs: Date.parse(SINCE),
		publisher: { id: "p1", protocol: "rtsp", type: "rtspSession", remoteAddress: "1.2.3.4:5" },
		tracks: [],
		readers: [],
		bytesReceived: 0,
		packetsReceived: 0,
		packetErrors: 0,
		unitsDropped: 0,
		...changes,
	};
}

const idle = {
	ready: false,
	readyTime: null,
	available: false,
	availableTime: null,
	online: false,
	onlineTime: null,
	tracks: [],
	tracks2: [],
	readers: [],
	inboundBytes: 0,
	outboundBytes: 0,
	inboundFramesInError: 0,
	bytesReceived: 0,
	bytesSent: 0,
};
const failed = (status: number, error: unknown) => ({ status, json: { status: "error", error } });
const all = "paths:\n  all_others:\n";

describe("paths over the control API", () => {
	it("show their stream, its publisher, tracks and readers", async () => {
		const opus = {
			codec: { name: "Opus", channels: 2 },
			rtp: { payloadType: 97, encoding: "opus/48000/2", fmtp: "" },
		} as const;
		const live = stream("a/b", {
			bytesReceived: 1000,
			packetErrors: 2,
			unitsDropped: 3,
			tracks: [{ index: 0, kind: "audio", clockRate: 48_000, ...opus }],
			readers: [
				{ id: "r1", type: "rtspSession", remoteAddress: "", query: "" },
				{ id: "r2", type: "rtspsSession", remoteAddress: "", query: "" },
			],
		});
		const sessions = () => [
			{ id: "r1", bytesSent: 10 },
			{ id: "r2", bytesSent: 20 },
			{ id: "r3", bytesSent: 40 },
		];
		await using api = await controlApi(all, { paths: () => [live], sessions: sessions as never });
		const { json } = await api.get("/v3/paths/get/a/b");
		expect(json).toEqual({
			name: "a/b",
			confName: "all_others",
			ready: true,
			readyTime: SINCE,
			available: true,
			availableTime: SINCE,
			online: true,
			onlineTime: SINCE,
			source: { type: "rtspSession", id: "p1" },
			tracks: ["Opus"],
			tracks2: [{ codec: "Opus", codecProps: { channelCount: 2 } }],
			readers: [
				{ type: "rtspSession", id: "r1" },
				{ type: "rtspsSession", id: "r2" },
			],
			inboundBytes: 1000,
			outboundBytes: 30,
			inboundFramesInError: 5,
			bytesReceived: 1000,
			bytesSent: 30,
		});
	});

	it("are there without a stream when they have an entry of their own", async () => {
		const file = [
			"paths:",
			"  cam: { source: 'rtsp://u:pw@h/x', sourceOnDemand: true }",
			"  elsewhere: { source: redirect, sourceRedirect: /cam }",
			"  film: { source: file, sourceFile: x.mp4 }",
			"  mine:",
			"  packets: { source: 'udp+mpegts://127.0.0.1:5000' }",
			"  '~^x':",
			"",
		].join("\n");
		await using api = await controlApi(file, {
			paths: () => [stream("xy"), stream("mine", { ready: false, publisher: null })],
		});
		expect((await api.get("/v3/paths/list")).json).toEqual({
			itemCount: 6,
			pageCount: 1,
			items: [
				{ name: "cam", confName: "cam", source: { type: "rtspSource", id: "" }, ...idle },
				{ name: "elsewhere", confName: "elsewhere", source: { type: "redirect", id: "" }, ...idle },
				{ name: "film", confName: "film", source: { type: "fileSource", id: "" }, ...idle },
				{ name: "mine", confName: "mine", source: null, ...idle },
				{ name: "packets", confName: "packets", source: { type: "mpegtsSource", id: "" }, ...idle },
				expect.objectContaining({ name: "xy", confName: "~^x", online: true }),
			],
		});
		expect((await api.get("/v3/paths/get/mine")).json).toEqual({
			name: "mine",
			confName: "mine",
			source: null,
			...idle,
		});
	});

	it("are available and not online while an offline clip plays", async () => {
		const publisher = { id: "clip", protocol: "file", remoteAddress: "", role: "offline" } as const;
		await using api = await controlApi(all, { paths: () => [stream("a", { publisher })] });
		expect(await api.get("/v3/paths/get/a")).toMatchObject({
			json: { ready: true, available: true, availableTime: SINCE, online: false, onlineTime: null, source: null },
		});
	});

	it("come in pages by name", async () => {
		const paths = () => ["c", "a", "b"].map((name) => stream(name));
		await using api = await controlApi(all, { paths });
		expect(await api.get("/v3/paths/list?itemsPerPage=2&page=0")).toMatchObject({
			json: { itemCount: 3, pageCount: 2, items: [{ name: "a" }, { name: "b" }] },
		});
		expect(await api.get("/v3/paths/list?itemsPerPage=0")).toMatchObject(
			failed(400, expect.stringMatching(/^itemsPerPage must/)),
		);
	});

	it("are not found when there is neither stream nor entry", async () => {
		await using api = await controlApi(all);
		for (const name of ["nope", "all_others", "constructor"]) {
			expect(await api.get(`/v3/paths/get/${name}`)).toMatchObject(failed(404, "path not found"));
		}
		expect((await api.get("/v3/paths/list")).json).toEqual({ itemCount: 0, pageCount: 0, items: [] });
	});
});
