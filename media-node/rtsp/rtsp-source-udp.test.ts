import dgram from "node:dgram";
import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeCamera } from "../../test/support/fake-camera.ts";
import { type Pull, pullFrom } from "../../test/support/pull.ts";
import { nal, rtpPacket } from "../../test/support/rtp-stream.ts";
import { writeRtcp } from "../rtp/rtcp-packet.ts";
import { UdpPair } from "./client-udp.ts";
import type { RtspRequest, RtspResponse } from "./message.ts";

const SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n";
const packet = (sequence: number) => rtpPacket({ sequence, timestamp: 90 * sequence, ssrc: 5, payload: nal(5) });
const senderReport = writeRtcp([
	{ type: "SR", ssrc: 5, ntp: { seconds: 1, fraction: 0 }, rtpTime: 3, packets: 1, octets: 1, reports: [] },
]);
const sequences = (pull: Pull) => pull.packets.map(({ bytes }) => (bytes[2]! << 8) | bytes[3]!);
const clientPort = (request: RtspRequest) =>
	Number(/client_port=(\d+)/.exec(request.headers.get("transport") ?? "")?.[1]);
const codeOf = async (ended: Promise<unknown>) => {
	const error = await ended;
	if (!(error instanceof SluiceError)) throw new Error("It did not end as it should", { cause: error });
	return error.code;
};

/** A camera with one video; `transport` is what it answers to SETUP, given the client's header. */
async function cameraWith(transport: (asked: string) => RtspResponse | string) {
	return FakeCamera.open(({ method, headers }) => {
		if (method === "DESCRIBE") return { status: 200, body: SDP };
		if (method !== "SETUP") return undefined;
		const answer = transport(headers.get("transport") ?? "");
		return typeof answer === "string" ? { status: 200, headers: { Session: "s", Transport: answer } } : answer;
	});
}

const setup = (camera: FakeCamera) =>
	eventually("a SETUP", () => camera.requests.find(({ method }) => method === "SETUP"));
/** Until nothing is waited for but the next second. */
const settled = (pull: Pull) => eventually("it waits for media", () => pull.published > 0 && pull.clock.pending === 1);

describe("an RTSP source over UDP", () => {
	it("puts packets in order, takes them from the server's ports only, opens the way, and reports", async () => {
		await using sender = await UdpPair.open([43_000, 43_199], false);
		await using stranger = await UdpPair.open([43_200, 43_399], false);
		const heard: string[] = [];
		sender.receive(
			(bytes) => void heard.push(`rtp ${bytes.length}`),
			(bytes) => void heard.push(`rtcp ${bytes[1]} ${bytes.length}`),
		);
		await using camera = await cameraWith((asked) => `${asked};server_port=${sender.rtpPort}-${sender.rtpPort + 1}`);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, {
			rtspTransport: "udp",
			rtspUDPSourcePortRange: [43_400, 43_599],
		});
		const port = clientPort(await setup(camera));
		expect(port >= 43_400 && port < 43_599 && port % 2 === 0).toBe(true);
		await settled(pull);
		// An RTP header alone, and an RTCP receiver report of nothing.
		await eventually("both ways are open", () => heard.includes("rtp 12") && heard.includes("rtcp 201 8"));
		stranger.sendRtp(packet(50), "127.0.0.1", port);
		for (const sequence of [1, 3, 2]) sender.sendRtp(packet(sequence), "127.0.0.1", port);
		sender.sendRtcp(senderReport, "127.0.0.1", port + 1);
		await eventually("the packets and the report", () => pull.packets.length >= 3 && pull.reports.length === 1);
		expect(sequences(pull)).toEqual([1, 2, 3]);
		await pull.clock.advance(5_000);
		await eventually("a report", () => heard.some((text) => text.startsWith("rtcp 201 ") && text !== "rtcp 201 8"));
		await pull.stop();
		expect(pull.clock.pending).toBe(0);
	});

	it.each([
		["rtspAnyPort is set", true, ";server_port=43998-43999"],
		["the server does not say its ports", false, ""],
	])("takes packets from any port of the server when %s", async (_, rtspAnyPort, ports) => {
		await using sender = await UdpPair.open([43_600, 43_699], false);
		let reports = 0;
		sender.receive(
			() => {},
			() => void reports++,
		);
		await using camera = await cameraWith((asked) => asked + ports);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "udp", rtspAnyPort });
		const port = clientPort(await setup(camera));
		await settled(pull);
		sender.sendRtp(packet(9), "127.0.0.1", port);
		sender.sendRtcp(senderReport, "127.0.0.1", port + 1);
		await eventually("the packet", () => pull.packets.length === 1 && pull.reports.length === 1);
		await pull.clock.advance(5_000);
		await eventually("a report to where they came from", () => reports > 0);
	});

	it("ends when nothing comes, if UDP is what is configured", async () => {
		await using camera = await cameraWith((asked) => `${asked};server_port=43700-43701`);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "udp" });
		await settled(pull);
		await pull.clock.advance(10_000);
		expect(await codeOf(pull.ended)).toBe("rtsp.timeout");
		await using refusing = await cameraWith(() => ({ status: 461 }));
		await using other = pullFrom(`rtsp://127.0.0.1:${refusing.port}/cam`, { rtspTransport: "udp" });
		expect(await codeOf(other.ended)).toBe("rtsp.transport");
	});
});

describe("an RTSP source in the automatic way", () => {
	it("stays with UDP when packets come", async () => {
		await using sender = await UdpPair.open([43_800, 43_899], false);
		await using camera = await cameraWith((asked) => `${asked};server_port=${sender.rtpPort}`);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "automatic" });
		const port = clientPort(await setup(camera));
		await settled(pull);
		sender.sendRtp(packet(1), "127.0.0.1", port);
		await eventually("the packet", () => pull.packets.length === 1);
		await pull.clock.advance(4_000);
		expect([camera.methods.includes("TEARDOWN"), camera.connections.length]).toEqual([false, 1]);
	});

	it("turns to TCP when nothing comes within three seconds, and publishes once", async () => {
		await using camera = await cameraWith((asked) =>
			asked.includes("TCP") ? asked : `${asked};server_port=43900-43901`,
		);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "automatic" });
		await settled(pull);
		await pull.clock.advance(2_000);
		expect(camera.connections).toHaveLength(1);
		await pull.clock.advance(1_000);
		await eventually("a second PLAY", () => camera.methods.filter((method) => method === "PLAY").length === 2);
		expect(camera.methods).toContain("TEARDOWN");
		camera.connections[1]?.frame(0, packet(4));
		await eventually("the packet", () => pull.packets.length === 1);
		expect(pull.published).toBe(1);
	});

	it.each([
		["says that it does not do UDP", (): RtspResponse => ({ status: 461 })],
		["gives channels where ports were asked for", () => "RTP/AVP/TCP;interleaved=0-1"],
	])("turns to TCP at once when the server %s", async (_, answer) => {
		await using camera = await cameraWith((asked) => (asked.includes("TCP") ? asked : answer()));
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "automatic" });
		await eventually("a PLAY", () => camera.methods.includes("PLAY"));
		camera.connections[1]?.frame(0, packet(4));
		await eventually("the packet", () => pull.packets.length === 1);
	});

	it("is asked anew when it describes other media than before", async () => {
		let described = 0;
		await using camera = await FakeCamera.open(({ method, headers }) => {
			if (method === "DESCRIBE") return { status: 200, body: described++ === 0 ? SDP : "m=audio 0 RTP/AVP 0" };
			const asked = headers.get("transport") ?? "";
			return method === "SETUP" ? { status: 200, headers: { Session: "s", Transport: asked } } : undefined;
		});
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "automatic" });
		await settled(pull);
		await pull.clock.advance(3_000);
		expect(await codeOf(pull.ended)).toBe("session.closed");
	});
});

describe("an RTSP source over multicast", () => {
	const GROUP = "239.255.77.9";

	it("joins the group that the server names, and takes what the server sends there", async () => {
		await using camera = await cameraWith(() => `RTP/AVP;multicast;destination=${GROUP};port=43950-43951;ttl=1`);
		await using pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`, { rtspTransport: "multicast" });
		expect((await setup(camera)).headers.get("transport")).toBe("RTP/AVP;multicast");
		await settled(pull);
		const sender = dgram.createSocket("udp4");
		await new Promise<void>((resolve) => sender.bind(0, "127.0.0.1", resolve));
		try {
			sender.setMulticastInterface("127.0.0.1");
			sender.send(packet(1), 43_950, GROUP);
			await eventually("the packet", () => pull.packets.length === 1);
		} finally {
			sender.close();
		}
	});

	it("ends when there is no group to join", async () => {
		await using unicast = await cameraWith(() => "RTP/AVP;unicast;server_port=5000");
		await using first = pullFrom(`rtsp://127.0.0.1:${unicast.port}/cam`, { rtspTransport: "multicast" });
		expect(await codeOf(first.ended)).toBe("rtsp.transport");
		await using nowhere = await cameraWith(() => "RTP/AVP;multicast");
		await using second = pullFrom(`rtsp://127.0.0.1:${nowhere.port}/cam`, { rtspTransport: "multicast" });
		expect(await codeOf(second.ended)).toBe("rtsp.transport");
	});
});
