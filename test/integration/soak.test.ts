import type { ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ask, heard, start, stop } from "../bench/child.ts";
import { eventually } from "../support/eventually.ts";
import { freeUdpPair } from "../support/free-port.ts";
import { tempDir } from "../support/temp-dir.ts";
import type { SoakReport } from "./soak-server.ts";
import { runSession } from "./soak-sessions.ts";

const SESSIONS = 40_000;
const WINDOW = 5000;
const AT_ONCE = 64;
/** It takes some 80 s on two cores, server and clients together; a machine that is busy has twice as long. */
const LIMIT_MS = 180_000;
/**
 * How much more than after the second window, when code is compiled and buffers have found their size. On a heap of 35 MB
 * it is what 200 bytes a session would come to.
 */
const MAX_HEAP_GROWTH = 1.15;
/** CPU time depends on what else the machine does; what grows with each session would be at four times. */
const MAX_CPU_GROWTH = 1.5;

type Window = Pick<SoakReport, "heapBytes" | "externalBytes"> & {
	readonly descriptors: number;
	readonly cpuMsPerSession: number;
};

const descriptorsOf = (child: ChildProcess) => readdirSync(`/proc/${child.pid}/fd`).length;

/** Runs `count` sessions from number `first` on, 64 at a time, with a new one as soon as one has ended. */
async function runSessions(port: number, first: number, count: number): Promise<void> {
	let next = first;
	const line = async () => {
		while (next < first + count) await runSession(port, next++);
	};
	await Promise.all(Array.from({ length: AT_ONCE }, line));
}

describe("forty thousand short sessions", () => {
	it("leave the heap, the descriptors and the CPU time of a session as they were", { timeout: LIMIT_MS }, async () => {
		await using folder = await tempDir();
		const udp = await freeUdpPair();
		const child = start("../integration/soak-server.ts", ["--expose-gc"], [folder.path, `${udp.rtp}`, `${udp.rtcp}`]);
		await using _child = { [Symbol.asyncDispose]: () => stop(child) };
		const { port } = await heard<{ port: number }>(child);
		const report = () => ask<SoakReport>(child, {});
		const atStart = descriptorsOf(child);
		const windows: Window[] = [];
		for (let first = 0; first < SESSIONS; first += WINDOW) {
			const before = await report();
			await runSessions(port, first, WINDOW);
			const { cpuSeconds } = await report();
			// The streams of publishers that were cut wait a second for them.
			const quiet = await eventually("all sessions and their streams are gone", async () => {
				const now = await report();
				const descriptors = descriptorsOf(child);
				if (now.sessions === 0 && now.streams === 1 && descriptors <= atStart) return now;
				throw new Error(JSON.stringify({ ...now, descriptors, atStart }));
			});
			windows.push({
				heapBytes: quiet.heapBytes,
				externalBytes: quiet.externalBytes,
				descriptors: descriptorsOf(child),
				cpuMsPerSession: ((cpuSeconds - before.cpuSeconds) * 1000) / WINDOW,
			});
			expect(quiet.errors).toEqual([]);
		}
		const [, second, ...later] = windows;
		const figures = JSON.stringify(windows);
		for (const { heapBytes, externalBytes } of later.slice(-2)) {
			expect(heapBytes / (second?.heapBytes ?? 0), figures).toBeLessThan(MAX_HEAP_GROWTH);
			expect(externalBytes / (second?.externalBytes ?? 0), figures).toBeLessThan(MAX_HEAP_GROWTH);
		}
		expect(Math.max(...windows.map(({ descriptors }) => descriptors)), figures).toBeLessThanOrEqual(atStart);
		const lastCpu = Math.min(...later.slice(-2).map(({ cpuMsPerSession }) => cpuMsPerSession));
		expect(lastCpu / (second?.cpuMsPerSession ?? 0), figures).toBeLessThan(MAX_CPU_GROWTH);
		process.stdout.write(`${figures}\n`);
	});
});
