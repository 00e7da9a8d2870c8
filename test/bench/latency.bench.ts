/**
 * How much time the server adds: from the write of a real publisher to the read of each of 200 readers, all over
 * RTSP/TCP on one machine. The time that the readers' process takes to come to a packet is part of it, and so is that of
 * the 199 readers that may be served before. In some twenty seconds.
 */

import { ask, heard, start, stop, wait } from "./child.ts";
import type { LatencyCommand, LatencyReply } from "./latency-readers.ts";
import type { Pace, PublishersCommand } from "./publish.ts";
import type { RelayReply } from "./relay-server.ts";
import { printTable, verdict } from "./table.ts";

const READERS = [1, 50, 200];
/** The goals are for so many. */
const GOAL_READERS = 200;
const P50_GOAL_MS = 1;
const P99_GOAL_MS = 5;
const WARM_UP_MS = 1500;
const MEASURE_MS = 4000;
const PACES: readonly Pace[] = ["frames", "packets"];

const rows: string[][] = [];
for (const pace of PACES) for (const readers of READERS) rows.push(row(pace, readers, await measure(pace, readers)));
console.log("Added latency, ms, 3.9 Mbit/s; the publisher writes whole frames of 13 packets, or packet by packet");
printTable([["publisher", "readers", "p50", "goal", "p99", "goal", "max"], ...rows]);

function row(pace: Pace, readers: number, { p50, p99, max }: LatencyReply): string[] {
	const goal = (figure: number, limit: number) => (readers === GOAL_READERS ? verdict(figure, "at most", limit) : "");
	const ms = (figure: number) => figure.toFixed(2);
	return [pace, String(readers), ms(p50), goal(p50, P50_GOAL_MS), ms(p99), goal(p99, P99_GOAL_MS), ms(max)];
}

async function measure(pace: Pace, count: number): Promise<LatencyReply> {
	await using stack = new AsyncDisposableStack();
	const server = start("relay-server.ts");
	const publishers = start("publishers.ts");
	const readers = start("latency-readers.ts");
	stack.defer(() => stop(readers, publishers, server));
	await heard(server);
	const { port } = await ask<RelayReply>(server, {});
	await ask(publishers, { port, streams: 1, pace } satisfies PublishersCommand);
	const command: LatencyCommand = { port, readers: count };
	await ask(readers, command);
	await wait(WARM_UP_MS);
	await ask(readers, command);
	await wait(MEASURE_MS);
	return await ask<LatencyReply>(readers, command);
}
