import { describe, expect, it } from "vitest";
import { ANY_USER } from "#shared/config/user.ts";
import { parsePathName } from "#shared/path-name.ts";
import { controlApi } from "../../test/support/control-api.ts";
import type { PeerSnapshot } from "../webrtc/peer-session.ts";

const ID = "9c1e0d4e-0000-4000-8000-00000000000";

function peer(last: string, fields: Partial<PeerSnapshot> = {}): PeerSnapshot {
	return {
		id: ID + last,
		createdMs: Date.UTC(2026, 0, 1) + Number(last),
		remoteAddress: "192.0.2.7:50000",
		connected: true,
		state: "read",
		path: parsePathName("cam"),
		query: "a=b",
		user: ANY_USER,
		userAgent: "browser",
		bytesReceived: 10,
		bytesSent: 2000,
		packetsReceived: 1,
		packetsSent: 20,
		rtcpPacketsReceived: 7,
		rtcpPacketsSent: 8,
		localCandidate: "host/udp/192.0.2.1/8189",
		remoteCandidate: "prflx/udp/192.0.2.7/50000",
		packetsLost: 3,
		packetsRepaired: 5,
		jitter: 0.01,
		roundTrip: 0.05,
		bitrate: 2_000_000,
		bitrateLimit: null,
		keyFrameRequests: 1,
		freezes: 2,
		framesDiscarded: 4,
		...fields,
	};
}

describe("the sessions of WebRTC over the control API", () => {
	it("lists them, the oldest first", async () => {
		await using api = await controlApi("", { peers: () => [peer("2"), peer("1")] });
		const { status, json } = await api.get("/v3/webrtcsessions/list");
		expect(status).toBe(200);
		expect(json).toMatchObject({ itemCount: 2, pageCount: 1, items: [{ id: `${ID}1` }, { id: `${ID}2` }] });
	});

	it("shows a viewer: what it says it lost is not inbound", async () => {
		await using api = await controlApi("", { peers: () => [peer("1")] });
		const { json } = await api.get(`/v3/webrtcsessions/get/${ID}1`);
		expect(json).toMatchObject({
			created: "2026-01-01T00:00:00.001Z",
			peerConnectionEstablished: true,
			state: "read",
			path: "cam",
			query: "a=b",
			user: "",
			outboundBytes: 2000,
			outboundRTPPackets: 20,
			inboundRTCPPackets: 7,
			outboundRTCPPackets: 8,
			localCandidate: "host/udp/192.0.2.1/8189",
			remoteCandidate: "prflx/udp/192.0.2.7/50000",
			outboundFramesDiscarded: 4,
			packetsLost: 3,
			packetsRepaired: 5,
			jitter: 0.01,
			roundTrip: 0.05,
			bitrate: 2_000_000,
			bitrateLimit: null,
			keyFrameRequests: 1,
			freezes: 2,
			inboundRTPPacketsLost: 0,
		});
	});

	it("shows a publisher, with what was lost on the way", async () => {
		await using api = await controlApi("", { peers: () => [peer("1", { state: "publish", user: "desk" })] });
		const { json } = await api.get(`/v3/webrtcsessions/get/${ID}1`);
		expect(json).toMatchObject({ user: "desk", inboundRTPPacketsLost: 3, inboundRTPPacketsJitter: 0.01 });
	});

	it("ends one, and says when there is none", async () => {
		const kicked: string[] = [];
		const kick = (id: string) => kicked.push(id) > 0;
		await using api = await controlApi("", { peers: () => [peer("1")], kick });
		expect((await api.send("POST", `/v3/webrtcsessions/kick/${ID}1`)).status).toBe(200);
		expect(kicked).toEqual([`${ID}1`]);
		expect((await api.send("POST", `/v3/webrtcsessions/kick/${ID}2`)).status).toBe(404);
		expect((await api.get("/v3/webrtcsessions/get/nobody")).status).toBe(400);
	});

	it("is not there while the server is switched off", async () => {
		await using api = await controlApi("webrtc: false\n");
		expect(await api.get("/v3/webrtcsessions/list")).toMatchObject({
			status: 404,
			json: { status: "error", error: "the WebRTC server is switched off" },
		});
	});
});
