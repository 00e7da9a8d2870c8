/**
 * How much CPU time it takes to deliver a gigabit over RTSP/TCP to 50, 200 and 500 readers: the server, with one write of
 * a shared buffer per reader and batch; a write for each packet, as is common; and a C program that does nothing but
 * write. In interleaved rounds of the same run, in some two minutes.
 */

import type { ChildProcess } from "node:child_process";
import { ask, heard, start, stop, wait } from "./child.ts";
import {
	FRAME_RATE,
	type Mode,
	PACKET_BYTES,
	PACKETS_PER_FRAME,
	type ReadersCommand,
	type ReadersReply,
	type ServerReply,
} from "./fanout.ts";
import { compile, ReferenceProgram } from "./reference.ts";
import { median, printTable, verdict } from "./table.ts";

const READERS = [50, 200, 500];
const ROUNDS = 3;
/** A reader begins at a key frame, of which there is one a second. */
const WARM_UP_MS = 1200;
const MEASURE_MS = 2000;
/** Of a write per packet in the same server. */
const PACKETWISE_GOAL = 0.35;
/** Of the C program, at {@link C_GOAL_READERS}. */
const C_GOAL = 1.6;
const C_GOAL_READERS = 200;

/** A server under load: where readers go, and its CPU time. */
type Contender = {
	readonly name: string;
	readonly port: number;
	readonly isRtsp: boolean;
	readonly cpuSeconds: () => Promise<number>;
};

await using stack = new AsyncDisposableStack();
const server = start("fanout-server.ts");
const readers = start("fanout-readers.ts");
stack.defer(() => stop(server, readers));

const { ports } = await heard<{ ports: Record<Mode, number> }>(server);
const ours = async () => {
	const reply = await ask<Extract<ServerReply, { cpuSeconds: number }>>(server, {});
	return reply.cpuSeconds;
};
const contenders: Contender[] = [
	{ name: "batch", port: ports.batch, isRtsp: true, cpuSeconds: ours },
	{ name: "packet", port: ports.packet, isRtsp: false, cpuSeconds: ours },
];
const compiled = compile("fanout");
if (compiled !== null) {
	stack.use(compiled);
	for (const mode of ["frame", "packet"]) {
		const args = [mode, PACKETS_PER_FRAME, PACKET_BYTES, FRAME_RATE].map(String);
		const program = stack.use(await ReferenceProgram.open(compiled.executable, args));
		const cpu = () => program.cpuSeconds();
		contenders.push({ name: `c-${mode}`, port: program.port, isRtsp: false, cpuSeconds: cpu });
	}
}

const results = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
	for (const count of READERS) {
		for (const contender of contenders) {
			const key = `${contender.name} ${count}`;
			const figure = await measure(readers, contender, count);
			results.set(key, [...(results.get(key) ?? []), figure]);
		}
	}
}

const figure = (name: string, count: number) => median(results.get(`${name} ${count}`) ?? []);
const text = (value: number) => (Number.isNaN(value) ? "-" : value.toFixed(3));
console.log("CPU-s per delivered Gbit over RTSP/TCP, 3.9 Mbit/s to each reader; C: the limit program");
printTable([
	["readers", "server", "by packet", "C by frame", "C by packet", "of by packet", "goal", "of C by frame", "goal"],
	...READERS.map((count) => {
		const [batch, packet, frame] = [figure("batch", count), figure("packet", count), figure("c-frame", count)];
		return [
			String(count),
			...[batch, packet, frame, figure("c-packet", count)].map(text),
			`${text(batch / packet)}x`,
			verdict(batch / packet, "at most", PACKETWISE_GOAL),
			`${text(batch / frame)}x`,
			count === C_GOAL_READERS && compiled !== null ? verdict(batch / frame, "at most", C_GOAL) : "",
		];
	}),
]);

async function measure(readersChild: ChildProcess, contender: Contender, count: number): Promise<number> {
	const { port, isRtsp } = contender;
	const command: ReadersCommand = { readers: count, port, isRtsp };
	const sample = async () => {
		const [cpu, { bytes }] = await Promise.all([contender.cpuSeconds(), ask<ReadersReply>(readersChild, command)]);
		return { cpu, bytes };
	};
	await ask(readersChild, command);
	await wait(WARM_UP_MS);
	const before = await sample();
	await wait(MEASURE_MS);
	const after = await sample();
	return (after.cpu - before.cpu) / (((after.bytes - before.bytes) * 8) / 1e9);
}
