import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeCamera } from "../../test/support/fake-camera.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { type Pull, pullFrom } from "../../test/support/pull.ts";
import { nal, rtpPacket } from "../../test/support/rtp-stream.ts";
import { u32 } from "../bytes/big-endian.ts";
import { parseRtcp, writeRtcp } from "../rtp/rtcp-packet.ts";
import { parseMikey } from "../srtp/mikey.ts";
import { keysOf } from "../srtp/mikey-keys.ts";
import { ClientBackChannel } from "./client-back-channel.ts";
import type { ClientConnection } from "./client-connection.ts";
import { offerKey, openerFor } from "./client-keys.ts";
import { DatagramWay } from "./client-media.ts";
import { UdpPair } from "./client-udp.ts";
import type { RtspRequest, RtspResponse } from "./message.ts";
import { keyManagementOf, Opener, Sealer, writeKeyManagement } from "./secure.ts";
import { parseSourceDescription } from "./source-description.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");
const cert = readFileSync(path.join(TLS, "localhost.crt"));
const key = readFileSync(path.join(TLS, "localhost.key"));
const sourceFingerprint =
	"B4:4B:C7:2C:13:2C:60:71:A8:61:D4:66:94:B6:12:B5:CB:75:D9:64:CC:6E:50:B8:BC:F2:A4:21:1C:42:85:69";

const SSRC = 5;
const packet = (sequence: number) => rtpPacket({ sequence, timestamp: 90 * sequence, ssrc: SSRC, payload: nal(5) });
const report = writeRtcp([
	{ type: "SR", ssrc: SSRC, ntp: { seconds: 1, fraction: 0 }, rtpTime: 3, packets: 1, octets: 1, reports: [] },
]);
const sdp = (keys: string | null) =>
	`v=0\r\nm=video 0 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n${keys === null ? "" : `a=key-mgmt:mikey ${keys}\r\n`}a=control:t\r\n`;
const messageOf = (sealer: Sealer) => sealer.message(SSRC, 0);
const headerOf = (message: string) => ({ KeyMgmt: writeKeyManagement("rtsps://x/", message) });
const clientPort = ({ headers }: RtspRequest) => Number(/client_port=(\d+)/.exec(headers.get("transport") ?? "")?.[1]);

type Told = { readonly description: string | null; readonly header: string | null };

/** A camera of RTSPS that tells these keys; `profile` of what it agrees to. */
async function cameraWith({ description, header }: Told, ports = "43100-43101", profile = "RTP/SAVP") {
	return FakeCamera.open(
		({ method, headers }): RtspResponse | undefined => {
			if (method === "DESCRIBE") return { status: 200, body: sdp(description) };
			if (method !== "SETUP") return undefined;
			const asked = (headers.get("transport") ?? "").replace("RTP/SAVP", profile);
			const keys = header === null || asked.includes("TCP") ? {} : headerOf(header);
			return {
				status: 200,
				headers: { Session: "s", Transport: `${asked};server_port=${ports}`, ...keys },
			};
		},
		{ cert, key },
	);
}

const pullOf = (camera: FakeCamera) =>
	pullFrom(`rtsps://127.0.0.1:${camera.port}/cam`, { rtspTransport: "udp", sourceFingerprint });
const setupOf = (camera: FakeCamera) =>
	eventually("a SETUP", () => camera.requests.find(({ method }) => method === "SETUP"));
const settled = (pull: Pull) => eventually("it waits for media", () => pull.published > 0 && pull.clock.pending === 1);

describe("a source of RTSPS over UDP", () => {
	it.each<[string, (right: string, wrong: string) => Told]>([
		["its description", (right) => ({ description: right, header: null })],
		["the answer to SETUP", (right) => ({ description: null, header: right })],
		["the answer to SETUP, whatever its description said", (right, wrong) => ({ description: wrong, header: right })],
	])("is decrypted by the keys of %s, and gets reports under a key that it was told", async (_, told) => {
		await using sender = await UdpPair.open([44_000, 44_199], false);
		const heard: { kind: "rtp" | "rtcp"; bytes: Uint8Array }[] = [];
		sender.receive(
			(bytes) => void heard.push({ kind: "rtp", bytes }),
			(bytes) => void heard.push({ kind: "rtcp", bytes }),
		);
		const sealer = new Sealer();
		const keys = told(messageOf(sealer), messageOf(new Sealer()));
		await using camera = await cameraWith(keys, `${sender.rtpPort}-${sender.rtpPort + 1}`);
		await using pull = pullOf(camera);
		const setup = await setupOf(camera);
		expect(setup.headers.get("transport")).toMatch(/^RTP\/SAVP;unicast;client_port=/);
		await settled(pull);
		const opener = new Opener(keyManagementOf(setup.headers.get("keymgmt") ?? "") ?? "");

		const port = clientPort(setup);
		sender.sendRtp(packet(1), "127.0.0.1", port);
		sender.sendRtcp(report, "127.0.0.1", port + 1);
		for (const sequence of [2, 3]) sender.sendRtp(sealer.sealRtpPacket(packet(sequence)), "127.0.0.1", port);
		sender.sendRtcp(sealer.sealRtcp(report), "127.0.0.1", port + 1);
		await eventually("the packets and the report", () => pull.packets.length >= 2 && pull.reports.length >= 1);
		expect(pull.packets.map(({ bytes }) => bytes)).toEqual(
			[packet(2), packet(3)].map((bytes) => Uint8Array.from(bytes)),
		);
		expect(pull.reports).toHaveLength(1);

		await pull.clock.advance(5_000);
		await eventually("the way is opened, and a report", () => heard.length >= 3);
		const plain = heard.map(({ kind, bytes }) =>
			kind === "rtp" ? opener.openRtp(bytes, 0, bytes.length) : opener.openRtcp(bytes, 0, bytes.length),
		);
		expect(plain).not.toContain(null);
		const reports = heard.flatMap(({ kind }, i) => {
			const bytes = plain[i] ?? new Uint8Array(0);
			return kind === "rtp" ? [] : parseRtcp(bytes, 0, bytes.length);
		});
		expect(reports).toContainEqual(
			expect.objectContaining({ type: "RR", reports: [expect.objectContaining({ ssrc: SSRC })] }),
		);
	});

	it.each<[string, Told, string, RegExp]>([
		["tells no keys", { description: null, header: null }, "RTP/SAVP", /tells no keys.*rtspTransport to tcp/],
		["sends in plain", { description: null, header: null }, "RTP/AVP", /not encrypted.*rtspTransport to tcp/],
		["tells keys that are none", { description: "AAAA", header: null }, "RTP/SAVP", /cannot be used/],
	])("is not played when it %s", async (_, told, profile, message) => {
		await using camera = await cameraWith(told, undefined, profile);
		await using pull = pullOf(camera);
		const error = await pull.ended;
		if (!(error instanceof SluiceError)) throw new Error("It did not end as it should", { cause: error });
		expect([error.code, pull.published]).toEqual(["rtsp.transport", 0]);
		expect(error.message).toMatch(message);
		expect(camera.methods).not.toContain("PLAY");
	});

	it("comes by TCP in the automatic way, also when a redirect led to it and it tells no keys for UDP", async () => {
		await using camera = await cameraWith({ description: null, header: null });
		await using front = await FakeCamera.open(({ method }) =>
			method === "DESCRIBE"
				? { status: 302, headers: { Location: `rtsps://127.0.0.1:${camera.port}/cam` } }
				: undefined,
		);
		await using pull = pullFrom(`rtsp://127.0.0.1:${front.port}/cam`, {
			rtspTransport: "automatic",
			sourceFingerprint,
		});
		await eventually("it plays", () => camera.methods.includes("PLAY"));
		const asked = camera.requests.filter(({ method }) => method === "SETUP");
		expect(asked.map(({ headers }) => headers.get("transport")?.split(";", 1)[0])).toEqual(["RTP/SAVP", "RTP/AVP/TCP"]);
		expect(pull.published).toBe(1);
	});

	it("is talked to in SRTP, from the source that its key is told for", async () => {
		await using camera = await UdpPair.open([44_200, 44_399], false);
		await using pair = await UdpPair.open([44_400, 44_599], false);
		const heard: Uint8Array[] = [];
		camera.receive(
			(bytes) => void heard.push(bytes),
			() => {},
		);
		const ssrc = 0xfedc_ba98;
		const offer = offerKey("rtsps://x/back", ssrc, 0);
		const opener = openerFor({ headers: new Map() }, messageOf(new Sealer()), offer);
		const serverPorts = [camera.rtpPort, camera.rtpPort + 1] as const;
		const answer = { protocol: "udp", isSecure: true, channels: null, serverPorts } as const;
		const way = new DatagramWay({
			pair,
			serverAddress: "127.0.0.1",
			answer: { ...answer, ports: null, source: null, destination: null },
			group: null,
			isAnyPort: false,
			opener,
		});
		const [media] = parseSourceDescription("m=audio 0 RTP/SAVP 8", true).media;
		if (media === undefined) throw new TypeError("There is a media");
		const connection = { channel: { pendingBytes: 0 } } as unknown as ClientConnection;
		const channel = new ClientBackChannel({ media, way, ssrc, connection, clock: new FakeClock() });
		channel.open();
		channel.write(rtpPacket({ payloadType: 8, sequence: 9, timestamp: 1, ssrc: 1, payload: Uint8Array.of(1, 2, 3) }));
		await eventually("what was said", () => heard.length === 1);
		const bytes = heard[0] ?? new Uint8Array(0);
		const message = keyManagementOf(offer.headers.KeyMgmt) ?? "";
		const plain = new Opener(message).openRtp(bytes, 0, bytes.length);
		expect(plain?.subarray(12)).toEqual(Uint8Array.of(1, 2, 3));
		expect(bytes.length).toBe(12 + 3 + 10);
		expect(u32(bytes, 8)).toBe(ssrc);
		expect(keysOf(parseMikey(Uint8Array.from(Buffer.from(message, "base64")))).sources).toEqual([
			{ ssrc, rollover: 0 },
		]);
	});
});
