import dgram from "node:dgram";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { eventually } from "../support/eventually.ts";
import { freeUdpPairs } from "../support/free-port.ts";
import { Program } from "../support/program.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { joined, TsWriter } from "../support/ts-writer.ts";
import { WebRtcBrowser } from "../support/webrtc-browser.ts";

const KLV = { pid: 0x101, streamType: 0x06, descriptors: [5, 4, 0x4b, 0x4c, 0x56, 0x41] };
/** SMPTE ST 336 §5: the key of MISB ST 0601. */
const KEY = [0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0x00, 0x00, 0x00];
const UNITS = 600;
const UNITS_A_SECOND = 10;

/** A unit that is like no other. Every tenth is longer than a packet of the network, and some longer than many. */
function unit(number: number): Uint8Array {
	const length = number % 10 === 0 ? 3_000 + number * 10 : 40 + (number % 50);
	const value = Uint8Array.from({ length }, (_, at) =>
		at < 4 ? number >>> (24 - 8 * at) : (number * 31 + at * 7) & 0xff,
	);
	return Uint8Array.of(...KEY, 0x82, length >>> 8, length & 0xff, ...value);
}

/** A piece of a transport stream for each unit. */
function transportStream(): Uint8Array[] {
	const writer = new TsWriter();
	const second = 90_000;
	return Array.from({ length: UNITS }, (_, at) => {
		const tables = writer.tables(new Map([[0x100, [KLV]]]));
		return joined([tables, writer.pes(KLV.pid, second + (at * second) / UNITS_A_SECOND, unit(at))]);
	});
}

/** Sends pieces of a transport stream as if they were made now. */
function stream(pieces: readonly Uint8Array[], port: number): Disposable {
	const socket = dgram.createSocket("udp4");
	const left = [...pieces];
	const timer = systemClock.every(1000 / UNITS_A_SECOND, () => {
		const piece = left.shift() ?? new Uint8Array(0);
		for (let at = 0; at < piece.length; at += 1316) socket.send(piece.subarray(at, at + 1316), port, "127.0.0.1");
	});
	return {
		[Symbol.dispose]() {
			timer[Symbol.dispose]();
			socket.close();
		},
	};
}

/** Reads by WHEP as the page of MediaMTX does; what comes over channels that the node opens is in `messages`. */
async function readOn(page: Page, url: string): Promise<void> {
	await page.evaluate(async (whep) => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const scope = globalThis as any;
		const pc = new scope.RTCPeerConnection();
		scope.messages = [];
		scope.channels = [];
		pc.addTransceiver("video", { direction: "recvonly" });
		pc.addTransceiver("audio", { direction: "recvonly" });
		const own = pc.createDataChannel("");
		own.onopen = () => {
			scope.isOwnOpen = true;
		};
		// biome-ignore lint/suspicious/noExplicitAny: see above
		pc.ondatachannel = ({ channel }: any) => {
			scope.channels.push({ label: channel.label, ordered: channel.ordered, protocol: channel.protocol });
			channel.binaryType = "arraybuffer";
			scope.closeChannel = () =>
				new Promise((resolve) => {
					channel.onclose = resolve;
					channel.close();
				});
			// biome-ignore lint/suspicious/noExplicitAny: see above
			channel.onmessage = ({ data }: any) => scope.messages.push(btoa(String.fromCharCode(...new Uint8Array(data))));
		};
		await pc.setLocalDescription(await pc.createOffer());
		const headers = { "content-type": "application/sdp" };
		scope.leave = async (session: string) => {
			pc.close();
			await fetch(session, { method: "DELETE" });
		};
		const answer = await fetch(whep, { method: "POST", headers, body: pc.localDescription.sdp });
		if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
		scope.session = new URL(answer.headers.get("location") ?? "", whep).href;
		await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
	}, `${url}/whep`);
}

describe("KLV over WebRTC", { timeout: 120_000 }, () => {
	it("reaches Chromium over a data channel byte for byte, with the pictures beside it and without any", async () => {
		await using folder = await tempDir();
		const file = path.join(folder.path, "klv.ts");
		await writeFile(file, joined(transportStream()));
		const [drone, plain, camera] = (await freeUdpPairs(3)).map(({ rtp }) => rtp) as [number, number, number];
		const sourceOf = (port: number) => ({ source: `udp+mpegts://127.0.0.1:${port}` });
		const paths = { drone: sourceOf(drone), plain: sourceOf(plain), camera: sourceOf(camera) };
		const config = `paths: ${JSON.stringify(paths)}`;
		await using sluice = await Sluice.start({ folder: folder.path, config, nodeOnly: true });
		const picture = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15"];
		const encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "15", "-pix_fmt", "yuv420p"];
		const tracks = ["-map", "0:v", "-map", "1:d", ...encoder, "-c:d", "copy"];
		const output = (port: number) => ["-f", "mpegts", `udp://127.0.0.1:${port}?pkt_size=1316`];
		const alone = ["-map", "0:v", ...encoder, ...output(camera)];
		const outputs = [...tracks, ...output(drone), ...alone];
		await using _camera = new Program("ffmpeg", ["-v", "error", ...picture, "-re", "-i", file, ...outputs]);
		using _sender = stream(transportStream(), plain);
		await using browser = await WebRtcBrowser.start();
		const expected = new Map(Array.from({ length: UNITS }, (_, at) => [Buffer.from(unit(at)).toString("base64"), at]));

		for (const name of ["drone", "plain"]) {
			await sluice.ready(name, 40_000);
			const { page } = await browser.play(sluice.webrtc(name));
			await readOn(page, sluice.webrtc(name));
			const messages = await eventually(
				`25 units of KLV of ${name}`,
				async () => {
					// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
					const got: string[] = await page.evaluate(() => (globalThis as any).messages);
					return got.length >= 25 ? got : false;
				},
				{ timeoutMs: 30_000 },
			);
			const numbers = messages.map((message) => expected.get(message) ?? -1);
			// In no order, but all of them, and each once.
			const [first = -1] = numbers.toSorted((a, b) => a - b);
			expect(first).toBeGreaterThanOrEqual(0);
			expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, at) => first + at));
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const seen = await page.evaluate(() => [(globalThis as any).channels, (globalThis as any).isOwnOpen]);
			expect(seen).toEqual([[{ label: "KLV", ordered: false, protocol: "" }], true]);
			expect(await sluice.metric("paths_readers", { name })).toBeGreaterThanOrEqual(1);
			// A channel is closed when both ends have closed it.
			// biome-ignore lint/suspicious/noExplicitAny: see above
			await page.evaluate(() => (globalThis as any).closeChannel());
			// biome-ignore lint/suspicious/noExplicitAny: see above
			await page.evaluate(() => (globalThis as any).leave((globalThis as any).session));
			await page.close();
			await eventually("the reader is gone", async () => (await sluice.metric("paths_readers", { name })) === 0);
		}
		// Without KLV there are no channels, but for all else the viewer may offer them.
		await sluice.ready("camera", 40_000);
		const viewer = await browser.play(sluice.webrtc("camera"));
		await readOn(viewer.page, sluice.webrtc("camera"));
		await viewer.decoded(15);
		// biome-ignore lint/suspicious/noExplicitAny: see above
		expect(await viewer.page.evaluate(() => [(globalThis as any).channels, (globalThis as any).isOwnOpen])).toEqual([
			[],
			undefined,
		]);
		expect(sluice.program.errors).toBe("");
	});
});
