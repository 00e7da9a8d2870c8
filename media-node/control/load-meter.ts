import type { Clock } from "#shared/clock.ts";
import type { NodeLoad } from "#shared/nodes/heartbeat.ts";

/** Time of processors since some moment, in milliseconds. */
export type CpuTimes = {
	/** What this process used, on all cores together. */
	readonly processMs: number;
	/** Of all cores of the machine together. */
	readonly busyMs: number;
	readonly totalMs: number;
};

/** Bytes that went in and out since something began that has this `id`. */
export type Flow = { readonly id: string; readonly received: number; readonly sent: number };

export type LoadReading = {
	readonly cpu: CpuTimes;
	readonly streams: number;
	readonly readers: number;
	readonly flows: readonly Flow[];
};

type Moment = { readonly atMs: number; readonly cpu: CpuTimes; readonly flows: ReadonlyMap<string, Flow> };

/** Makes rates of counters: each reading is about the time since the one before. */
export class LoadMeter {
	readonly #clock: Clock;
	#before: Moment | null = null;

	constructor({ clock }: { readonly clock: Clock }) {
		this.#clock = clock;
	}

	/** The load since the last call; of the first one, rates are 0. */
	read({ cpu, streams, readers, flows }: LoadReading): NodeLoad {
		const before = this.#before;
		const now: Moment = { atMs: this.#clock.monotonic(), cpu, flows: new Map(flows.map((flow) => [flow.id, flow])) };
		this.#before = now;
		const elapsedMs = before === null ? 0 : now.atMs - before.atMs;
		if (before === null || elapsedMs <= 0) {
			return { cpu: 0, streams, readers, bytesInPerSecond: 0, bytesOutPerSecond: 0 };
		}
		// Packets are moved by one thread: a process that fills one core is full, however many more there are.
		const process = (cpu.processMs - before.cpu.processMs) / elapsedMs;
		const machine = (cpu.busyMs - before.cpu.busyMs) / Math.max(1, cpu.totalMs - before.cpu.totalMs);
		const perSecond = (of: "received" | "sent") => {
			let bytes = 0;
			for (const flow of flows) bytes += Math.max(0, flow[of] - (before.flows.get(flow.id)?.[of] ?? 0));
			return Math.round((bytes * 1000) / elapsedMs);
		};
		return {
			cpu: Math.round(Math.min(1, Math.max(0, process, machine)) * 1000) / 1000,
			streams,
			readers,
			bytesInPerSecond: perSecond("received"),
			bytesOutPerSecond: perSecond("sent"),
		};
	}
}
