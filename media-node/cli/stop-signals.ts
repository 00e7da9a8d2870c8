/** What ends the program: a signal, or the end of the program that started it. */

import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";

/** A stop that takes longer is no stop. */
const LAST_RESORT_MS = 30_000;
/** The same while it still starts: nobody is connected, and nothing waits to be written. */
const LAST_RESORT_OF_START_MS = 2_000;
/** A Ctrl-C comes twice where a launcher passes on what the terminal sends to both; a person's second one is later. */
const IMPATIENT_MS = 500;

export type StopSignalsOptions = {
	/** This process, or what stands for it. */
	readonly process: Pick<NodeJS.Process, "on" | "connected" | "channel" | "env"> & { exit(code: number): void };
	readonly clock: Clock;
	readonly log: Logger;
};

/** Asks for one orderly stop, and ends the process if that does not come about. Lasts as long as the process. */
export class StopSignals {
	readonly #options: StopSignalsOptions;
	readonly #stop = new AbortController();
	#isStarted = false;
	#stoppedMs = 0;

	constructor(options: StopSignalsOptions) {
		this.#options = options;
		const { process } = options;
		for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => this.#onSignal(name));
		if (process.env["_SLUICE_LAUNCHER"] === undefined) return;
		// Not for the commands of hooks.
		delete process.env["_SLUICE_LAUNCHER"];
		const orphaned = () => this.#begin("The program that started this one is gone");
		process.on("disconnect", orphaned);
		// To be told of its end is no reason to stay.
		process.channel?.unref();
		if (!process.connected) orphaned();
	}

	/** Aborts when the program is to stop. */
	get signal(): AbortSignal {
		return this.#stop.signal;
	}

	/** The start is complete: a stop may take its time from now on. */
	started(): void {
		this.#isStarted = true;
	}

	#onSignal(name: string): void {
		const { clock, process } = this.#options;
		if (!this.#stop.signal.aborted) this.#begin(name);
		else if (clock.monotonic() - this.#stoppedMs > IMPATIENT_MS) process.exit(1);
	}

	#begin(why: string): void {
		const { clock, log, process } = this.#options;
		if (this.#stop.signal.aborted) return;
		log.info(`${why}: stopping`);
		this.#stoppedMs = clock.monotonic();
		// Counts on after everything was closed, as long as something else keeps the process.
		setTimeout(() => process.exit(1), this.#isStarted ? LAST_RESORT_MS : LAST_RESORT_OF_START_MS).unref();
		this.#stop.abort();
	}
}
