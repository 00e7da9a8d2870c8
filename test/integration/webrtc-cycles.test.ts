import type { ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONSENT_MS } from "../../media-node/webrtc/transport/ice-lite.ts";
import { ask, heard, start, stop } from "../bench/child.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, freeUdpPair } from "../support/free-port.ts";
import { H264_PPS, H264_SPS, nal, rtpPacket } from "../support/rtp-stream.ts";
import { tempDir } from "../support/temp-dir.ts";
import { type CallerKit, openCallerKit, WebRtcCaller } from "./webrtc-caller.ts";
import type { CyclesReport } from "./webrtc-cycles-server.ts";

const CYCLES = 1_000;
const WINDOW = 200;
const AT_ONCE = 8;
/** Of HTTP, which clients leave open for a while; sessions that leave a descriptor behind would come to hundreds. */
const KEPT_CONNECTIONS = 2 * AT_ONCE;
/** It takes some 70 s on two cores that others use as well. */
const LIMIT_MS = 180_000;
/**
 * How much more than after any window before, the first of which compiles code and finds the size of buffers: on a heap of
 * 40 MB it is what 5 kB a session would come to.
 */
const MAX_HEAP_GROWTH = 1.1;

const PICTURE_MS = 20;
const PICTURE = [H264_SPS, H264_PPS, nal(5, 900)];

/** `number`: of the cycle, unique in the test. */
type Cycle = (kit: CallerKit, origin: string, number: number) => Promise<void>;

async function reader(kit: CallerKit, origin: string): Promise<WebRtcCaller> {
	const caller = await WebRtcCaller.offer(kit, `${origin}/live/whep`);
	await caller.connect();
	await caller.until(() => caller.packets >= 3, "packets of the stream");
	return caller;
}

async function publisher(kit: CallerKit, origin: string, number: number): Promise<WebRtcCaller> {
	const caller = await WebRtcCaller.offer(kit, `${origin}/talk/${number}/whip`);
	await caller.connect();
	let sequence = 0;
	const picture = () => {
		const timestamp = sequence * 1000;
		for (const [i, payload] of PICTURE.entries()) {
			caller.rtp(rtpPacket({ sequence: sequence++, timestamp, payload, marker: i === PICTURE.length - 1 }));
		}
	};
	picture();
	const timer = setInterval(picture, PICTURE_MS);
	// The node reports on what it takes.
	await caller.until(() => caller.reports > 0, "an RTCP packet").finally(() => clearInterval(timer));
	return caller;
}

const CYCLES_OF_ROUND: readonly Cycle[] = [
	async (kit, origin) => (await reader(kit, origin)).delete(),
	async (kit, origin, number) => (await publisher(kit, origin, number)).delete(),
	async (kit, origin) => (await reader(kit, origin)).vanish(),
	async (kit, origin, number) => (await publisher(kit, origin, number)).vanish(),
	async (kit, origin) => (await reader(kit, origin)).goodbye(),
	async (kit, origin, number) => (await publisher(kit, origin, number)).goodbye(),
	// Two that never connect, of which one says so.
	async (kit, origin) => (await WebRtcCaller.offer(kit, `${origin}/live/whep`)).vanish(),
	async (kit, origin, number) => (await WebRtcCaller.offer(kit, `${origin}/talk/${number}/whip`)).delete(),
];

const descriptorsOf = (child: ChildProcess) => readdirSync(`/proc/${child.pid}/fd`).length;

/** Runs `count` cycles from number `first` on, with a new one as soon as one has ended. */
async function runCycles(kit: CallerKit, origin: string, first: number, count: number): Promise<void> {
	let next = first;
	const line = async () => {
		while (next < first + count) {
			const number = next++;
			await CYCLES_OF_ROUND[number % CYCLES_OF_ROUND.length]?.(kit, origin, number);
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, line));
}

describe("a thousand WebRTC sessions that come and go", () => {
	it("leave the heap, the descriptors and the list of sessions as they were", { timeout: LIMIT_MS }, async () => {
		await using folder = await tempDir();
		const [udp, apiPort] = [await freeUdpPair(), await freePort()];
		const args = [folder.path, `${udp.rtp}`, `${apiPort}`];
		const child = start("../integration/webrtc-cycles-server.ts", ["--expose-gc"], args);
		await using _child = { [Symbol.asyncDispose]: () => stop(child) };
		const { port } = await heard<{ port: number }>(child);
		const kit = await openCallerKit();
		const report = (skipMs = 0) => ask<CyclesReport>(child, { skipMs });
		const sessions = async () => {
			const response = await fetch(`http://127.0.0.1:${apiPort}/v3/webrtcsessions/list`);
			return ((await response.json()) as { itemCount: number }).itemCount;
		};
		expect(await sessions()).toBe(0);
		const atStart = descriptorsOf(child);
		const windows: (CyclesReport & { readonly descriptors: number })[] = [];
		for (let first = 0; first < CYCLES; first += WINDOW) {
			await runCycles(kit, `http://127.0.0.1:${port}`, first, WINDOW);
			// Who vanished is still there, and no longer when its time is up.
			expect(await sessions()).toBeGreaterThan(0);
			await report(CONSENT_MS);
			const quiet = await eventually("all sessions and their streams are gone", async () => {
				const left = await sessions();
				const now = { ...(await report()), descriptors: descriptorsOf(child) };
				if (left === 0 && now.streams === 1 && now.descriptors <= atStart + KEPT_CONNECTIONS) return now;
				throw new Error(JSON.stringify({ ...now, left, atStart }));
			});
			expect(quiet.errors).toEqual([]);
			windows.push(quiet);
		}
		const figures = JSON.stringify(windows);
		const [last, ...before] = windows.toReversed();
		expect(last, figures).toMatchObject({ publishers: (CYCLES * 3) / 8, readers: (CYCLES * 3) / 8 });
		for (const { heapBytes, externalBytes } of before) {
			expect((last?.heapBytes ?? 0) / heapBytes, figures).toBeLessThan(MAX_HEAP_GROWTH);
			expect((last?.externalBytes ?? 0) / externalBytes, figures).toBeLessThan(MAX_HEAP_GROWTH);
		}
		process.stdout.write(`${figures}\n`);
	});
});
