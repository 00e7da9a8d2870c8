import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { quiet } from "../../test/support/control-api.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { AAC_TRACK, H264_TRACK, rtpPacket } from "../../test/support/rtp-stream.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import type { PacketSink } from "../stream/sink.ts";
import { rtspForward } from "./rtsp-forward.ts";

const stack: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const end of stack.splice(0).reverse()) await end();
});

/** A server that answers by method, and keeps what it was told; `null`: it hangs up. */
async function serve(answers: Readonly<Record<string, string | null>>) {
	const heard: string[] = [];
	const sockets = new Set<net.Socket>();
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on("error", () => {});
		socket.on("data", (bytes) => {
			const text = bytes.toString("latin1");
			heard.push(text);
			const [, method = "", cseq = "1"] = /^([A-Z]+) [\s\S]*?CSeq: (\d+)/.exec(text) ?? [];
			if (method === "") return;
			const answer = method in answers ? answers[method] : "200 OK";
			if (answer === null) socket.destroy();
			else socket.write(`RTSP/1.0 ${answer}\r\nCSeq: ${cseq}\r\nSession: 12;timeout=60\r\n\r\n`);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	stack.push(() => {
		for (const socket of sockets) socket.destroy();
		return new Promise((resolve) => server.close(resolve));
	});
	return { url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/live?a=b`, heard, sockets };
}

function forward(url: string) {
	const clock = new FakeClock();
	const stop = new AbortController();
	const sinks: PacketSink[] = [];
	let sent: (() => number) | null = null;
	const stream = {
		path: parsePathName("cam"),
		tracks: [H264_TRACK, AAC_TRACK],
		position: () => null,
		readPackets: (sink: PacketSink) => {
			sinks.push(sink);
			return { [Symbol.dispose]: () => void sinks.splice(sinks.indexOf(sink), 1) };
		},
	} as unknown as ReadableStreamOfPath;
	const settings = { dest: url, destFingerprint: "", whipBearerToken: "" };
	const run = rtspForward().run(
		{
			...{ url, settings, stream, clock, log: quiet, timeoutMs: 10_000 },
			onForwarding: (bytesSent) => {
				sent = bytesSent;
			},
		},
		stop.signal,
	);
	const ended = run.then(
		() => null,
		(error: unknown) => error,
	);
	const flowing = () => eventually("media flow", () => sent);
	stack.push(async () => {
		stop.abort();
		await ended;
	});
	return { clock, stop, sinks, ended, flowing };
}

const methodsOf = (heard: readonly string[]) => heard.flatMap((text) => /^[A-Z]+ \S+/.exec(text)?.[0] ?? []);

describe("forwarding by RTSP", () => {
	it("announces the tracks, sets them up over TCP, records, and tears down in the end", async () => {
		const { url, heard } = await serve({});
		const { stop, sinks, ended, flowing } = forward(url);
		const sent = await flowing();
		expect(methodsOf(heard)).toEqual([
			`ANNOUNCE ${url}`,
			`SETUP ${url}/trackID=0`,
			`SETUP ${url}/trackID=1`,
			`RECORD ${url}`,
		]);
		expect(heard[0]).toContain("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000");
		expect(heard[2]).toContain("Transport: RTP/AVP/TCP;unicast;interleaved=2-3;mode=record");
		const packet = rtpPacket({ sequence: 1, timestamp: 0, payload: Uint8Array.of(1, 2, 3) });
		const bytes = Buffer.from([0x24, 0, 0, packet.length, ...packet]);
		sinks[0]?.push({ bytes, packets: [0, 4, packet.length], randomAccess: true, arrivalMs: 0 });
		await eventually("the packet", () => heard.some((text) => text.includes(bytes.toString("latin1"))));
		expect(sent()).toBe(bytes.length);
		stop.abort();
		expect(await ended).toMatchObject({ code: "aborted" });
		expect(methodsOf(heard).at(-1)).toBe(`TEARDOWN ${url}`);
		expect(sinks).toEqual([]);
	});

	it("keeps the session alive, and ends when the server does", async () => {
		const { url, heard, sockets } = await serve({});
		const { clock, ended, flowing } = forward(url);
		await flowing();
		await clock.advance(31_000);
		await eventually("a question", () => methodsOf(heard).at(-1) === `OPTIONS ${url}`);
		for (const socket of sockets) socket.destroy();
		expect(await ended).toMatchObject({ message: "The destination closed the connection" });
	});

	it("ends with the stream", async () => {
		const { url } = await serve({});
		const { sinks, ended, flowing } = forward(url);
		await flowing();
		sinks[0]?.end(new GoneError("stream.ended", "Over"));
		expect(await ended).toMatchObject({ code: "stream.ended" });
	});

	it.each<[string, Record<string, string | null>, Record<string, unknown>]>([
		["refuses", { ANNOUNCE: "403 Forbidden" }, { code: "access.forbidden" }],
		["wants credentials", { ANNOUNCE: "401 No\r\nWWW-Authenticate: Basic realm=x" }, { code: "access.credentials" }],
		["does not take TCP", { SETUP: "461 No" }, { message: "The destination answered SETUP with status 461" }],
		[
			"takes another way than it was asked",
			{ SETUP: "200 OK\r\nTransport: RTP/AVP;unicast;client_port=5000-5001" },
			{ code: "rtsp.transport" },
		],
		["does not record", { RECORD: "500 No" }, { code: "rtsp.state" }],
		["hangs up", { ANNOUNCE: null }, { message: "The destination closed the connection" }],
	])("fails where the server %s", async (_name, answers, error) => {
		const { url } = await serve(answers);
		expect(await forward(url).ended).toMatchObject(error);
	});
});
