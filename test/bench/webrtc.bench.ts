/**
 * What a WebRTC viewer of a stream of 2 Mbit/s costs, by the product and by werift alone: CPU time of each packet under
 * AES-GCM, of beginning, and memory. Viewers send no feedback. Loopback charges the receiving side of the network to the
 * sender. In some three minutes.
 */

import type { ChildProcess } from "node:child_process";
import { ask, heard, start, stop, wait } from "./child.ts";
import { FRAME_RATE } from "./fanout.ts";
import { printTable, verdict } from "./table.ts";
import {
	PACKETS_PER_FRAME,
	type WebRtcServerCommand,
	type WebRtcServerReply,
	type WebRtcViewersReply,
} from "./webrtc.ts";

const VIEWERS = [20, 50, 100];
const WARM_UP_MS = 2_000;
const IDLE_MS = 3_000;
const MEASURE_MS = 10_000;
const AT_ONCE = 4;
/** Who has connected before code was compiled does not count. */
const FIRST_CONNECTS = 20;
const CONNECTS = 100;
const MEMORY_VIEWERS = 200;
const SETTLE_MS = 5_000;
/** Of werift alone. */
const RATIO_GOAL = 3;
/** At {@link CORE_GOAL_VIEWERS}. */
const CORE_GOAL = 400;
const CORE_GOAL_VIEWERS = 100;

const PACKETS_PER_SECOND = PACKETS_PER_FRAME * FRAME_RATE;

type Figure = { readonly micros: number; readonly arrived: number };
type Begin = { readonly connectMs: number; readonly viewerKb: number };

/** A server and its viewers, each in a process of its own. */
class Contender implements AsyncDisposable {
	readonly #server: ChildProcess;
	readonly #viewers: ChildProcess;
	readonly #url: string;

	private constructor(server: ChildProcess, viewers: ChildProcess, url: string) {
		this.#server = server;
		this.#viewers = viewers;
		this.#url = url;
	}

	static async open(file: string): Promise<Contender> {
		const server = start(file, ["--expose-gc"]);
		const viewers = start("webrtc-viewers.ts");
		const [{ url }] = await Promise.all([heard<WebRtcServerReply>(server), heard(viewers)]);
		return new Contender(server, viewers, url);
	}

	tell(command: WebRtcServerCommand): Promise<WebRtcServerReply> {
		return ask<WebRtcServerReply>(this.#server, command);
	}

	/** Gives how many packets came so far. */
	async become(viewers: number, atOnce = AT_ONCE): Promise<number> {
		return (await ask<WebRtcViewersReply>(this.#viewers, { url: this.#url, viewers, atOnce })).packets;
	}

	/** CPU time a second that the stream takes without viewers. */
	async idle(): Promise<number> {
		const before = await this.tell({ isSending: true });
		await wait(IDLE_MS);
		const after = await this.tell({ isSending: false });
		return (after.cpuSeconds - before.cpuSeconds) / (IDLE_MS / 1000);
	}

	async measure(viewers: number, idleCpu: number): Promise<Figure> {
		await this.become(viewers);
		await this.tell({ isSending: true });
		await wait(WARM_UP_MS);
		const sample = async () => {
			const [{ cpuSeconds }, packets] = await Promise.all([this.tell({}), this.become(viewers)]);
			return { cpuSeconds, packets };
		};
		const before = await sample();
		const beganMs = performance.now();
		await wait(MEASURE_MS);
		const after = await sample();
		const seconds = (performance.now() - beganMs) / 1000;
		await this.tell({ isSending: false });
		const packets = after.packets - before.packets;
		const cpu = after.cpuSeconds - before.cpuSeconds - idleCpu * seconds;
		return { micros: (cpu * 1e6) / packets, arrived: packets / (viewers * PACKETS_PER_SECOND * seconds) };
	}

	/** What it costs to connect, one viewer after another, and the memory of one that receives. */
	async begin(): Promise<Begin> {
		await this.become(FIRST_CONNECTS);
		await this.become(0);
		await this.tell({ isSending: true });
		await wait(SETTLE_MS);
		const empty = await this.tell({ isSending: false, collects: true });
		const before = await this.tell({});
		await this.become(CONNECTS, 1);
		const after = await this.tell({});
		await this.become(MEMORY_VIEWERS);
		await this.tell({ isSending: true });
		await wait(SETTLE_MS);
		const full = await this.tell({ collects: true });
		return {
			connectMs: ((after.cpuSeconds - before.cpuSeconds) * 1000) / CONNECTS,
			viewerKb: (full.rssBytes - empty.rssBytes) / 1024 / MEMORY_VIEWERS,
		};
	}

	[Symbol.asyncDispose](): Promise<void> {
		return stop(this.#viewers, this.#server);
	}
}

const FILES = ["webrtc-server.ts", "webrtc-werift.ts"] as const;

async function fanOut(): Promise<void> {
	await using ours = await Contender.open(FILES[0]);
	await using werift = await Contender.open(FILES[1]);
	const [oursIdle, weriftIdle] = [await ours.idle(), await werift.idle()];
	const rows: string[][] = [];
	const percent = ({ arrived }: Figure) => `${Math.round(arrived * 100)} %`;
	for (const count of VIEWERS) {
		const mine = await ours.measure(count, oursIdle);
		const other = await werift.measure(count, weriftIdle);
		const ratio = other.micros / mine.micros;
		const viewers = (micros: number) => 1e6 / (micros * PACKETS_PER_SECOND);
		rows.push([
			String(count),
			...[mine.micros.toFixed(2), percent(mine), other.micros.toFixed(2), percent(other)],
			...[`${ratio.toFixed(2)}x`, verdict(ratio, "at least", RATIO_GOAL)],
			...[viewers(mine.micros).toFixed(0), viewers(other.micros).toFixed(0)],
			count === CORE_GOAL_VIEWERS ? verdict(viewers(mine.micros), "at least", CORE_GOAL) : "",
		]);
	}
	console.log(
		`µs of CPU per packet and viewer, and viewers per core, of ${PACKETS_PER_SECOND} packets/s; Node.js ${process.versions.node}`,
	);
	printTable([
		["viewers", "server", "arrived", "werift", "arrived", "ratio", "goal", "per core", "werift", "goal"],
		...rows,
	]);
}

async function beginnings(): Promise<void> {
	const figures: Begin[] = [];
	for (const file of FILES) {
		await using contender = await Contender.open(file);
		figures.push(await contender.begin());
	}
	const [mine, other] = figures;
	console.log(`ms of CPU to connect, of ${CONNECTS}; kB of memory of a viewer, of ${MEMORY_VIEWERS} that receive`);
	printTable([
		["", "server", "werift", "ratio"],
		...(["connectMs", "viewerKb"] as const).map((name) => {
			const [a, b] = [mine?.[name] ?? Number.NaN, other?.[name] ?? Number.NaN];
			return [
				name === "connectMs" ? "connect, ms" : "memory, kB",
				a.toFixed(1),
				b.toFixed(1),
				`${(b / a).toFixed(2)}x`,
			];
		}),
	]);
}

await fanOut();
await beginnings();
