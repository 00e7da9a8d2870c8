/**
 * What an RTSP reader that plays costs in resident memory while nothing comes: the difference that many of them make.
 * Memory of the kernel for their sockets is not part of it. In some half a minute.
 */

import { ask, heard, start, stop, wait } from "./child.ts";
import type { LatencyCommand } from "./latency-readers.ts";
import type { PublishersCommand } from "./publish.ts";
import type { RelayReply } from "./relay-server.ts";
import { printTable, verdict } from "./table.ts";

/** What a server needs for its first readers it needs but once. */
const READERS_BEFORE = 500;
const READERS = [2500, 4500];
const GOAL_KB = 12;
/** Garbage is collected, and given back to the system, not all at once. */
const SETTLE_MS = 1000;
const COLLECTIONS = 3;

/**
 * While thousands connect at once, V8 lets its young generation grow up to its limit: some tens of megabytes, whatever
 * the number of readers. With a small one the difference is what readers keep.
 */
const SERVERS = [
	{ name: "young generation of at most 3 MB", flags: ["--max-semi-space-size=1"] },
	{ name: "as Node.js is", flags: [] },
] as const;

const rows: string[][] = [];
for (const { name, flags } of SERVERS) {
	for (const [readers, kilobytes] of await measure(flags)) {
		rows.push([name, String(readers), kilobytes.toFixed(1), verdict(kilobytes, "at most", GOAL_KB)]);
	}
}
console.log("Resident memory of the server per idle RTSP/TCP reader");
printTable([["server", "readers", "kB each", "goal"], ...rows]);

async function measure(flags: readonly string[]): Promise<[readers: number, kilobytes: number][]> {
	await using stack = new AsyncDisposableStack();
	const server = start("relay-server.ts", ["--expose-gc", ...flags]);
	const publishers = start("publishers.ts");
	const readers = start("latency-readers.ts");
	stack.defer(() => stop(readers, publishers, server));
	await heard(server);
	const { port } = await ask<RelayReply>(server, {});
	await ask(publishers, { port, streams: 1, pace: "none" } satisfies PublishersCommand);

	const rssWith = async (count: number): Promise<number> => {
		await ask(readers, { port, readers: count } satisfies LatencyCommand);
		let rss = 0;
		for (let i = 0; i < COLLECTIONS; i++) {
			await wait(SETTLE_MS);
			rss = (await ask<RelayReply>(server, {})).rssBytes;
		}
		return rss;
	};
	const first = await rssWith(READERS_BEFORE);
	const figures: [number, number][] = [];
	for (const count of READERS) {
		figures.push([count, ((await rssWith(count)) - first) / (count - READERS_BEFORE) / 1000]);
	}
	return figures;
}
