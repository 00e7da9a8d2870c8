/**
 * How many signed playlists a core serves in a second, by the Node.js entry over HTTP on loopback: 10,000 viewers with a
 * token of their own watch one live stream. Beside it, in the same process and run, a route of Hono that says hello. The
 * CPU time is the server's own: it has a process to itself, and so have the viewers. Then the same in workerd. In
 * some two minutes.
 */

import type { ChildProcess } from "node:child_process";
import { generateSigningKey } from "#shared/access/signing-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { ask, start, stop } from "./child.ts";
import type { LoadCommand, LoadReply, LoadServerReady, LoadServerReply, LoadServerStart } from "./load.ts";
import { PATH, RENDITION } from "./load-stream.ts";
import { median, printTable, verdict } from "./table.ts";

const VIEWERS = 10_000;
const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_MS = 3_000;
/** For latency: what is asked when the server is not at its end. */
const PACED_PER_SECOND = 1_000;
const GOAL_PER_CORE_SECOND = 8_000;
const GOAL_READS_PER_SECOND = 2;

type Figure = LoadReply & { readonly perCoreSecond: number; readonly micros: number; readonly readsPerSecond: number };

const keys = [await generateSigningKey()];
const grant = { permissions: [{ action: "read" as const, path: PATH }], subject: "viewer" };
const expiresMs = systemClock.now() + 3_600_000;
const tokens = await Promise.all(
	Array.from({ length: VIEWERS }, () => issueToken(keys, { ...grant, expiresMs }, systemClock)),
);
const playlists = tokens.map((token) => `/${token}/${PATH}/${RENDITION}.m3u8`);

await using stack = new AsyncDisposableStack();
const viewers = start("load-clients.ts");
stack.defer(() => stop(viewers));

console.log(`${VIEWERS} viewers of one stream, ${CONNECTIONS} connections; per core-second of the server`);
printTable([
	["", "per core-s", "goal", "of hello", "µs each", "viewers' µs", "p50 ms", "p99 ms", "reads/s", "goal"],
	...(await bench("Node.js", "load-server.ts", GOAL_PER_CORE_SECOND)),
	...(await bench("workerd", "load-worker-server.ts", GOAL_PER_CORE_SECOND)),
]);

async function bench(name: string, file: string, goal: number): Promise<string[][]> {
	const profile = process.env["SLUICE_BENCH_PROFILE"];
	const server = start(file, profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]);
	await using _server = { [Symbol.asyncDispose]: () => stop(server) };
	const { port, helloPort } = await ask<LoadServerReady>(server, { signingKeys: keys } satisfies LoadServerStart);
	const base = { port, targets: playlists, connections: CONNECTIONS, rate: "atOnce" } as const;
	const timed = { ...base, requests: Number.MAX_SAFE_INTEGER, ms: ROUND_MS };
	const hello = { ...timed, port: helloPort, targets: ["/hello"] };

	const first = await measure(server, { ...base, requests: VIEWERS, ms: 60_000 });
	const hellos: Figure[] = [];
	const rounds: Figure[] = [];
	// Before and after, and a second for playlists to begin with: what is measured is a stream that is watched all the time.
	for (let round = 0; round < ROUNDS; round++) hellos.push(await measure(server, hello));
	await measure(server, { ...timed, ms: 1_000 });
	for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(server, timed));
	const paced = await measure(server, { ...timed, rate: PACED_PER_SECOND });
	for (let round = 0; round < ROUNDS; round++) hellos.push(await measure(server, hello));

	const failed = [first, paced, ...rounds].find(({ failures }) => failures > 0);
	if (failed !== undefined)
		throw new Error(`${failed.failures} of ${failed.answers} failed; the first:\n${failed.failure}`);
	const [playlist, reference] = [middle(rounds), middle(hellos)];
	if (playlist.perCoreSecond < goal || playlist.readsPerSecond > GOAL_READS_PER_SECOND) process.exitCode = 1;
	return [
		row(`${name}: playlist`, playlist, reference, goal),
		row(`${name}: hello of Hono`, reference, reference),
		row(`${name}: first playlist of a viewer`, first, reference),
		row(`${name}: playlist, ${PACED_PER_SECOND}/s`, paced, reference),
	];
}

async function measure(serverChild: ChildProcess, command: LoadCommand): Promise<Figure> {
	const before = await ask<LoadServerReply>(serverChild, {});
	const reply = await ask<LoadReply>(viewers, command);
	const after = await ask<LoadServerReply>(serverChild, {});
	const cpu = after.cpuSeconds - before.cpuSeconds;
	return {
		...reply,
		perCoreSecond: reply.answers / cpu,
		micros: (cpu * 1e6) / reply.answers,
		readsPerSecond: (after.reads - before.reads) / reply.seconds,
	};
}

/** Medians of the rounds; of the reads, the mean: rounds are too short for a median to be fair. */
function middle(figures: readonly Figure[]): Figure {
	const [any] = figures;
	if (any === undefined) throw new TypeError("There was no round");
	const of = (value: (figure: Figure) => number) => median(figures.map(value));
	return {
		...any,
		perCoreSecond: of(({ perCoreSecond }) => perCoreSecond),
		micros: of(({ micros }) => micros),
		readsPerSecond: figures.reduce((sum, { readsPerSecond }) => sum + readsPerSecond, 0) / figures.length,
		latencies: { p50: of(({ latencies }) => latencies.p50), p99: of(({ latencies }) => latencies.p99) },
		cpuSeconds: of(({ cpuSeconds, answers }) => cpuSeconds / answers) * any.answers,
	};
}

/** With its goals, if `goal` is given. */
function row(name: string, figure: Figure, hello: Figure, goal?: number): string[] {
	const { perCoreSecond, micros, cpuSeconds, answers, latencies, readsPerSecond } = figure;
	return [
		...[name, perCoreSecond.toFixed(0), goal === undefined ? "" : verdict(perCoreSecond, "at least", goal)],
		...[(perCoreSecond / hello.perCoreSecond).toFixed(2), micros.toFixed(0)],
		...[((cpuSeconds * 1e6) / answers).toFixed(0), latencies.p50.toFixed(1), latencies.p99.toFixed(1)],
		...[readsPerSecond.toFixed(1), goal === undefined ? "" : verdict(readsPerSecond, "at most", GOAL_READS_PER_SECOND)],
	];
}
