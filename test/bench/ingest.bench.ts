/**
 * How many streams of 4 Mbit/s one core takes in over RTSP/TCP and puts into a bucket (in memory) as HLS: the CPU time of
 * the whole server, sockets and uploads included, for real publishers in another process. In a minute.
 */

import { ask, heard, start, stop, wait } from "./child.ts";
import type { IngestReply } from "./ingest-server.ts";
import type { PublishersCommand } from "./publish.ts";
import { printTable, verdict } from "./table.ts";

const STREAMS = [25, 100];
/** Compilers and pools of memory have settled by then: a server runs for weeks. */
const WARM_UP_MS = 15_000;
/** Whole segments, of which each stream makes one in two seconds. */
const MEASURE_MS = 10_000;
const GOAL_PER_CORE = 400;

const rows: string[][] = [];
for (const streams of STREAMS) rows.push(await measure(streams));
console.log("Ingest of H.264 over RTSP/TCP into HLS, store in memory");
printTable([["streams", "segments/s", "puts/s", "CPU ms a stream second", "streams a core", "goal"], ...rows]);

async function measure(streams: number): Promise<string[]> {
	await using stack = new AsyncDisposableStack();
	const server = start("ingest-server.ts");
	const publishers = start("publishers.ts");
	stack.defer(() => stop(publishers, server));
	await heard(server);
	const { port } = await ask<IngestReply>(server, {});
	await ask(publishers, { port, streams, pace: "frames" } satisfies PublishersCommand);
	await wait(WARM_UP_MS);
	const before = await ask<IngestReply>(server, {});
	const beganMs = performance.now();
	await wait(MEASURE_MS);
	const after = await ask<IngestReply>(server, {});
	const seconds = (performance.now() - beganMs) / 1000;
	const cost = (after.cpuSeconds - before.cpuSeconds) / seconds / streams;
	return [
		String(streams),
		((after.segments - before.segments) / seconds).toFixed(1),
		((after.puts - before.puts) / seconds).toFixed(0),
		(cost * 1000).toFixed(2),
		(1 / cost).toFixed(0),
		verdict(1 / cost, "at least", GOAL_PER_CORE),
	];
}
