import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { controlApi } from "../../test/support/control-api.ts";
import type { SessionSnapshot } from "../rtsp/session-state.ts";

const ID = "00000000-0000-4000-8000-00000000000";

function session(last: string, changes: Partial<SessionSnapshot> = {}): SessionSnapshot {
	return {
		id: ID + last,
		createdMs: Date.UTC(2026, 0, 1, 0, 0, 0, Number.parseInt(last, 16)),
		remoteAddress: "1.2.3.4:5",
		state: "idle",
		path: null,
		query: "",
		user: "",
		userAgent: "",
		transport: null,
		secure: false,
		tunnel: "none",
		bytesReceived: 0,
		bytesSent: 0,
		packetsSent: 0,
		packetsDiscarded: 0,
		packetsLost: 0,
		...changes,
	};
}

const reading = session("2", {
	state: "read",
	path: parsePathName("a/b"),
	query: "x=y",
	user: "ann",
	userAgent: "VLC",
	transport: "udp",
	tunnel: "http",
	bytesReceived: 1,
	bytesSent: 2,
	packetsSent: 3,
	packetsDiscarded: 4,
});
const publishing = session("3", {
	state: "publish",
	path: parsePathName("c"),
	user: "any",
	transport: "tcp",
	secure: true,
	packetsLost: 5,
});
const failed = (status: number, error: unknown) => ({ status, json: { status: "error", error } });

describe("RTSP sessions over the control API", () => {
	it("are listed oldest first, once they have a path, as MediaMTX lists them", async () => {
		const later = session("9", { path: parsePathName("z"), state: "idle" });
		await using api = await controlApi("", { sessions: () => [later, reading, session("1"), publishing] });
		const { json } = await api.get("/v3/rtspsessions/list");
		expect(json).toEqual({
			itemCount: 2,
			pageCount: 1,
			items: [
				{
					id: `${ID}2`,
					created: "2026-01-01T00:00:00.002Z",
					remoteAddr: "1.2.3.4:5",
					state: "read",
					path: "a/b",
					query: "x=y",
					user: "ann",
					userAgent: "VLC",
					transport: "UDP",
					profile: "AVP",
					conns: [`${ID}2`],
					inboundBytes: 1,
					inboundRTPPackets: 0,
					inboundRTPPacketsLost: 0,
					inboundRTPPacketsInError: 0,
					inboundRTPPacketsJitter: 0,
					inboundRTCPPackets: 0,
					inboundRTCPPacketsInError: 0,
					outboundBytes: 2,
					outboundRTPPackets: 3,
					outboundRTPPacketsReportedLost: 0,
					outboundRTPPacketsDiscarded: 4,
					outboundRTCPPackets: 0,
					bytesReceived: 1,
					bytesSent: 2,
					rtpPacketsReceived: 0,
					rtpPacketsSent: 3,
					rtpPacketsLost: 0,
					rtpPacketsInError: 0,
					rtpPacketsJitter: 0,
					rtcpPacketsReceived: 0,
					rtcpPacketsSent: 0,
					rtcpPacketsInError: 0,
				},
				expect.objectContaining({ id: `${ID}9`, state: "idle", transport: null, profile: null }),
			],
		});
	});

	it("have connections, which are there before them", async () => {
		await using api = await controlApi("", { sessions: () => [reading, session("1"), publishing] });
		expect(await api.get("/v3/rtspconns/list")).toMatchObject({
			json: { itemCount: 2, items: [{ id: `${ID}1`, session: null }, { id: `${ID}2` }] },
		});
		expect((await api.get(`/v3/rtspconns/get/${ID}2`)).json).toEqual({
			id: `${ID}2`,
			created: "2026-01-01T00:00:00.002Z",
			remoteAddr: "1.2.3.4:5",
			session: `${ID}2`,
			tunnel: "http",
			inboundBytes: 1,
			outboundBytes: 2,
			bytesReceived: 1,
			bytesSent: 2,
		});
	});

	it("are apart from those of RTSPS", async () => {
		await using api = await controlApi("rtspEncryption: optional\n", { sessions: () => [reading, publishing] });
		expect(await api.get("/v3/rtspssessions/list")).toMatchObject({
			json: { itemCount: 1, items: [{ id: `${ID}3`, user: "", transport: "TCP", profile: "SAVP", rtpPacketsLost: 5 }] },
		});
		expect(await api.get("/v3/rtspsconns/list")).toMatchObject({ json: { itemCount: 1, items: [{ id: `${ID}3` }] } });
		expect(await api.get(`/v3/rtspssessions/get/${ID}2`)).toMatchObject(failed(404, "session not found"));
	});

	it("come in pages", async () => {
		await using api = await controlApi("", { sessions: () => [session("1"), session("2"), session("3")] });
		expect(await api.get("/v3/rtspconns/list?itemsPerPage=2&page=1")).toMatchObject({
			json: { itemCount: 3, pageCount: 2, items: [{ id: `${ID}3` }] },
		});
	});

	it("are not there when they are gone, and no ID but a UUID is looked for", async () => {
		await using api = await controlApi("", { sessions: () => [session("1"), reading] });
		expect(await api.get(`/v3/rtspsessions/get/${ID}7`)).toMatchObject(failed(404, "session not found"));
		expect(await api.get(`/v3/rtspsessions/get/${ID}1`)).toMatchObject(failed(404, "session not found"));
		expect(await api.get(`/v3/rtspconns/get/${ID}7`)).toMatchObject(failed(404, "connection not found"));
		expect(await api.get("/v3/rtspsessions/get/abc")).toMatchObject(failed(400, "the ID is not a UUID"));
		expect(await api.get(`/v3/rtspsessions/get/${ID}2`)).toMatchObject({ status: 200, json: { path: "a/b" } });
	});

	it.each([
		["rtsp: false", "/v3/rtspsessions/list", 404],
		["rtsp: false", "/v3/rtspconns/list", 404],
		["rtspEncryption: strict", "/v3/rtspsessions/list", 404],
		["rtspEncryption: strict", "/v3/rtspssessions/list", 200],
		["rtspEncryption: 'no'", "/v3/rtspssessions/list", 404],
		["rtspEncryption: 'no'", "/v3/rtspsconns/list", 404],
		["rtspEncryption: optional", "/v3/rtspsessions/list", 200],
	])("with %s: %s answers %i", async (file, path, status) => {
		await using api = await controlApi(`${file}\n`);
		expect((await api.get(path)).status).toBe(status);
	});

	it("are ended", async () => {
		const kicked: string[] = [];
		const kick = (id: string) => kicked.push(id) === 1;
		await using api = await controlApi("", { sessions: () => [session("1"), reading], kick });
		const path = `/v3/rtspsessions/kick/${ID}2`;
		expect(await api.send("POST", path)).toMatchObject({ status: 200, json: { status: "ok" } });
		expect(await api.send("POST", path)).toMatchObject(failed(404, "session not found"));
		expect(await api.send("POST", `/v3/rtspsessions/kick/${ID}1`)).toMatchObject(failed(404, "session not found"));
		expect(kicked).toEqual([`${ID}2`, `${ID}2`]);
	});
});
