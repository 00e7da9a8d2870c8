/**
 * What a packet of RTSP/UDP costs in CPU time: sent by itself, and by the server, in runs that the kernel cuts (UDP
 * segmentation offload) where Node.js has `node:ffi`. Loopback cuts in software and charges the receiving
 * side of the network to the sender, so that a network card gains more. In some half a minute.
 */

import { ask, heard, start, stop, wait } from "./child.ts";
import { FRAME_RATE, PACKETS_PER_FRAME } from "./fanout.ts";
import { median, printTable, verdict } from "./table.ts";
import type { UdpReadersCommand, UdpReadersReply, UdpReply, UdpTargets } from "./udp.ts";

const READERS = [50, 200];
const MODES = ["single", "server"] as const;
const ROUNDS = 3;
/** A reader begins at a key frame, of which there is one a second. */
const WARM_UP_MS = 1200;
const MEASURE_MS = 2000;
/** Of packets that are sent by themselves. */
const SEGMENTED_GOAL = 0.5;

type Sample = { readonly cpuSeconds: number; readonly packets: number };
type Figure = { readonly micros: number; readonly arrived: number };

await using stack = new AsyncDisposableStack();
const server = start("udp-server.ts", ["--disable-warning=ExperimentalWarning"]);
const readers = start("udp-readers.ts");
stack.defer(() => stop(server, readers));
await heard(server);
const askServer = (targets: UdpTargets) => ask<UdpReply>(server, targets);
const askReaders = (command: UdpReadersCommand) => ask<UdpReadersReply>(readers, command);
const { port, isSegmented } = await askServer({});

const results = new Map<string, Figure[]>();
for (let round = 0; round < ROUNDS; round++) {
	for (const count of READERS) {
		for (const mode of MODES) {
			const key = `${mode} ${count}`;
			results.set(key, [...(results.get(key) ?? []), await measure(mode, count)]);
		}
	}
}

const figures = (mode: (typeof MODES)[number], count: number) => {
	const all = results.get(`${mode} ${count}`) ?? [];
	return { micros: median(all.map(({ micros }) => micros)), arrived: median(all.map(({ arrived }) => arrived)) };
};
console.log(`µs of CPU per packet of 1250 bytes over RTSP/UDP, Node.js ${process.versions.node}`);
printTable([
	["readers", "one by one", "arrived", isSegmented ? "server, segmented" : "server", "arrived", "ratio", "goal"],
	...READERS.map((count) => {
		const [single, server] = [figures("single", count), figures("server", count)];
		return [
			String(count),
			single.micros.toFixed(2),
			`${Math.round(single.arrived * 100)} %`,
			server.micros.toFixed(2),
			`${Math.round(server.arrived * 100)} %`,
			`${(server.micros / single.micros).toFixed(2)}x`,
			isSegmented ? verdict(server.micros / single.micros, "at most", SEGMENTED_GOAL) : "",
		];
	}),
]);
if (!isSegmented) console.log("  no segmentation: this Node.js has no node:ffi, or the system is not Linux");

async function measure(mode: (typeof MODES)[number], count: number): Promise<Figure> {
	const command = { readers: count, rtspPort: mode === "server" ? port : 0 };
	const { ports } = await askReaders(command);
	await askServer({ ports: mode === "single" ? ports : [] });
	await wait(WARM_UP_MS);
	const sample = async (): Promise<Sample> => {
		const [{ cpuSeconds }, { packets }] = await Promise.all([askServer({}), askReaders(command)]);
		return { cpuSeconds, packets };
	};
	const before = await sample();
	const beganMs = performance.now();
	await wait(MEASURE_MS);
	const after = await sample();
	const seconds = (performance.now() - beganMs) / 1000;
	await askServer({ ports: [] });
	const packets = after.packets - before.packets;
	const due = count * PACKETS_PER_FRAME * FRAME_RATE * seconds;
	return { micros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / packets, arrived: packets / due };
}
