/** RTSP inside HTTP and WebSockets, behind proxies, and under Digest, with real clients. */

import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { type Amount, expectFilm, GstReader, placeInFilm, publishGst } from "../support/rtsp-clients.ts";
import { Sluice } from "../support/sluice.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";

const WANTED: Amount = { video: 45, audio: 60 };

let folder: TempDir;
let film: string;

beforeAll(async () => {
	folder = await tempDir();
	film = await sample({ seconds: 60, size: "320x240" });
});

afterAll(async () => {
	await folder?.[Symbol.asyncDispose]();
});

function read(url: string, transport: string): Promise<void> {
	return expectFilm(url, { film, transport, out: path.join(folder.path, "read.mkv") });
}

describe("a tunnel", () => {
	it("over HTTP carries RTSP and RTSPS to FFmpeg and GStreamer", async () => {
		await using sluice = await Sluice.start({ folder: folder.path, secure: true });
		await using _camera = publish(film, sluice.rtsp("cam01"));
		await sluice.ready("cam01");
		await read(sluice.rtsp("cam01"), "http");
		await read(sluice.rtsps("cam01"), "https");

		const out = path.join(folder.path, "gst.mkv");
		await using gst = new GstReader(sluice.rtsp("cam01").replace("rtsp:", "rtsph:"), {
			protocols: "tcp+http",
			out,
			sound: "rtpmp4gdepay",
		});
		await gst.receives(WANTED);
		expect((await placeInFilm(out, film)).place).toBeGreaterThanOrEqual(0);
	});

	it("over a WebSocket carries every packet in order", async () => {
		await using sluice = await Sluice.start({ folder: folder.path });
		await using _camera = publish(film, sluice.rtsp("cam01"));
		await sluice.ready("cam01");
		const url = sluice.rtsp("cam01");
		const socket = new WebSocket(`ws://127.0.0.1:${sluice.ports.rtsp}/cam01`, "rtsp.onvif.org");
		let received = Buffer.alloc(0);
		socket.on("message", (bytes: Buffer) => {
			received = Buffer.concat([received, bytes]);
		});
		await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));

		const ask = async (method: string, target: string, headers: readonly string[] = []): Promise<string> => {
			received = Buffer.alloc(0);
			socket.send(Buffer.from([`${method} ${target} RTSP/1.0`, "CSeq: 1", ...headers, "", ""].join("\r\n")));
			return eventually(`${method} is answered`, () => {
				const end = received.indexOf("\r\n\r\n");
				if (end === -1) return false;
				const head = received.subarray(0, end).toString();
				const length = Number(/^Content-Length: *(\d+)/im.exec(head)?.[1] ?? 0);
				if (received.length < end + 4 + length) return false;
				const answer = received.subarray(0, end + 4 + length).toString();
				received = received.subarray(end + 4 + length);
				return answer;
			});
		};
		const described = await ask("DESCRIBE", url, ["Accept: application/sdp"]);
		expect(described).toContain("RTSP/1.0 200");
		expect(described).toContain("m=video");
		const transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
		const setUp = await ask("SETUP", `${url}/trackID=0`, [transport]);
		const session = /^Session: *([^;\r]+)/im.exec(setUp)?.[1] ?? "";
		expect(await ask("PLAY", url, [`Session: ${session}`])).toContain("RTSP/1.0 200");

		const numbers = await eventually("a hundred packets", () => {
			const all = sequenceNumbers(received);
			return all.length >= 100 ? all : false;
		});
		const steps = numbers.slice(1).map((number, i) => (number - (numbers[i] ?? 0) + 0x10000) % 0x10000);
		expect(new Set(steps)).toEqual(new Set([1]));
		socket.close();
		await eventually("the reader is gone", async () => (await sluice.metric("paths_readers")) === 0);
	});
});

/** Of the RTP packets in interleaved frames of channel 0. */
function sequenceNumbers(bytes: Buffer): number[] {
	const numbers: number[] = [];
	for (let at = 0; at + 8 <= bytes.length; at += 4 + bytes.readUInt16BE(at + 2)) {
		expect(bytes[at]).toBe(0x24);
		if (bytes[at + 1] === 0) numbers.push(bytes.readUInt16BE(at + 6));
	}
	return numbers;
}

describe("a proxy", () => {
	// Nobody needs a password: without users only those of this machine would not, and the proxy's clients are not.
	const config = [
		"rtspTrustedProxies: [127.0.0.1]",
		"authInternalUsers: [{ user: any, permissions: [{ action: publish }, { action: read }, { action: metrics }] }]",
	].join("\n");
	/** Version 2 of the header: PROXY, TCP over IPv4, 198.51.100.9:4242 to 127.0.0.1:554. */
	const version2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc63364097f0000011092022a", "hex");

	it.each([
		["v1", Buffer.from("PROXY TCP4 203.0.113.7 127.0.0.1 5555 554\r\n"), "tcp", "203.0.113.7:5555"],
		["v1, with a tunnel", Buffer.from("PROXY TCP4 203.0.113.8 127.0.0.1 5556 554\r\n"), "http", "203.0.113.8:5556"],
		["v2", version2, "tcp", "198.51.100.9:4242"],
	])("that is trusted tells the client's address with a header of %s", async (_, header, transport, address) => {
		await using sluice = await Sluice.start({ folder: folder.path, config });
		await using _camera = publish(film, sluice.rtsp("cam01"));
		await sluice.ready("cam01");
		await using proxy = await TcpProxy.open(sluice.ports.rtsp, header);
		await read(`rtsp://127.0.0.1:${proxy.port}/cam01`, transport);
		const readers = sluice.logged("A reader came");
		expect(readers).toMatchObject([{ remote: address, path: "cam01" }]);
	});

	it("that is not trusted may not tell an address", async () => {
		await using sluice = await Sluice.start({ folder: folder.path });
		await using _camera = publish(film, sluice.rtsp("cam01"));
		await sluice.ready("cam01");
		await using proxy = await TcpProxy.open(sluice.ports.rtsp, Buffer.from("PROXY TCP4 1.2.3.4 127.0.0.1 1 554\r\n"));
		await expect(read(`rtsp://127.0.0.1:${proxy.port}/cam01`, "tcp")).rejects.toThrow("ffmpeg ended with 1");
		expect(sluice.program.tail).toContain("add it to rtspTrustedProxies");
	});
});

describe("Digest", () => {
	const login = { user: "operator", pass: "correct-horse-battery" };
	const config = [
		"rtspAuthMethods: [digest]",
		"authInternalUsers:",
		`  - { user: ${login.user}, pass: ${login.pass}, permissions: [{ action: publish }, { action: read }] }`,
		"  - { user: any, ips: [127.0.0.1], permissions: [{ action: metrics }] }",
	].join("\n");

	it("lets FFmpeg and GStreamer in that know the password, and nobody else", async () => {
		await using sluice = await Sluice.start({ folder: folder.path, config });
		const as = (pass: string, name: string) => sluice.rtsp(name).replace("rtsp://", `rtsp://${login.user}:${pass}@`);
		await using _ffmpeg = publish(film, as(login.pass, "cam01"));
		await sluice.ready("cam01");
		await read(as(login.pass, "cam01"), "tcp");
		await read(as(login.pass, "cam01"), "udp");
		await read(as(login.pass, "cam01"), "http");

		const out = path.join(folder.path, "gst.mkv");
		await using gst = new GstReader(sluice.rtsp("cam01"), { protocols: "tcp", out, sound: "rtpmp4gdepay", login });
		await gst.receives(WANTED);
		expect((await placeInFilm(out, film)).place).toBeGreaterThanOrEqual(0);

		await using _gst = publishGst(film, sluice.rtsp("cam02"), "tcp", login);
		await sluice.ready("cam02");

		await expect(read(as("wrong-horse", "cam01"), "tcp")).rejects.toThrow("401 Unauthorized");
		await expect(read(sluice.rtsp("cam01"), "tcp")).rejects.toThrow("401 Unauthorized");
		await using stranger = publish(film, as("wrong-horse", "cam03"));
		await expect(stranger.succeed(20_000)).rejects.toThrow("401 Unauthorized");
		expect(sluice.program.output.toString() + sluice.program.errors).not.toContain(login.pass);
	});
});
