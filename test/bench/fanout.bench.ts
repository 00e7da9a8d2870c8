/**
 * How much CPU time the server takes to deliver a gigabit over RTSP/TCP to 50 and 200 readers: with one write of a shared
 * buffer per reader and batch, beside a write per packet, in interleaved rounds of the same run.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Mode, ReadersCommand, ReadersReply } from "./fanout.ts";

const READERS = [50, 200];
const MODES: readonly Mode[] = ["batch", "packet"];
const ROUNDS = 3;
const WARM_UP_MS = 700;
const MEASURE_MS = 3000;
/** Of a write per packet. */
export const GOAL = 0.35;

export type Figures = readonly {
	readonly readers: number;
	/** Medians over the rounds, in CPU-seconds of the server per gigabit that readers got. */
	readonly batch: number;
	readonly packet: number;
	readonly ratio: number;
}[];

/** Runs the bench, in some {@link ROUNDS} × 15 seconds. */
export async function run(): Promise<Figures> {
	const server = start("fanout-server.ts");
	const readers = start("fanout-readers.ts");
	try {
		const [{ ports }] = (await once(server, "message")) as [{ ports: Record<Mode, number> }];
		const results = new Map<string, number[]>();
		for (let round = 0; round < ROUNDS; round++) {
			for (const count of READERS) {
				for (const mode of MODES) {
					const key = `${mode} ${count}`;
					results.set(key, [
						...(results.get(key) ?? []),
						await measure(server, readers, { port: ports[mode], readers: count, isRtsp: mode === "batch" }),
					]);
				}
			}
		}
		return READERS.map((count) => {
			const batch = median(results.get(`batch ${count}`) ?? []);
			const packet = median(results.get(`packet ${count}`) ?? []);
			return { readers: count, batch, packet, ratio: batch / packet };
		});
	} finally {
		for (const child of [server, readers]) {
			const gone = once(child, "exit");
			child.disconnect();
			await gone;
		}
	}
}

function start(file: string): ChildProcess {
	return fork(path.join(import.meta.dirname, file), { execArgv: [] });
}

async function measure(server: ChildProcess, readers: ChildProcess, command: ReadersCommand): Promise<number> {
	await ask(readers, command);
	await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
	const before = await sample(server, readers, command);
	await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
	const after = await sample(server, readers, command);
	return (after.cpuSeconds - before.cpuSeconds) / (((after.bytes - before.bytes) * 8) / 1e9);
}

async function sample(server: ChildProcess, readers: ChildProcess, command: ReadersCommand) {
	const [{ cpuSeconds }, { bytes }] = (await Promise.all([ask(server, {}), ask(readers, command)])) as [
		{ cpuSeconds: number },
		ReadersReply,
	];
	return { cpuSeconds, bytes };
}

async function ask(child: ChildProcess, command: ReadersCommand | object): Promise<unknown> {
	const answer = once(child, "message");
	child.send(command);
	return (await answer)[0];
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.main) {
	const figures = await run();
	for (const { readers, batch, packet, ratio } of figures) {
		console.log(
			`fan-out to ${readers} readers, CPU-s per Gbit: ${batch.toFixed(3)} in batches, ${packet.toFixed(3)} by the packet, ` +
				`ratio ${ratio.toFixed(2)} (goal at most ${GOAL})`,
		);
	}
	if (figures.some(({ ratio }) => !(ratio <= GOAL))) process.exitCode = 1;
}
