import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";

/** How often to look whether a program that is not there has been installed meanwhile. */
export const MISSING_RETRY_MS = 60_000;

export type FfmpegOptions = {
	/** Name or path, as it is configured now. */
	readonly program: () => string;
	readonly clock: Clock;
	readonly log: Logger;
};

/** The program of a node, and whether it is there. */
export class Ffmpeg {
	readonly #options: FfmpegOptions;
	/** What was not found, and when, on the monotonic clock. */
	#missing: { readonly program: string; readonly sinceMs: number } | null = null;
	/** What the log was told of already. */
	readonly #told = new Set<string>();

	constructor(options: FfmpegOptions) {
		this.#options = options;
	}

	get program(): string {
		return this.#options.program();
	}

	/** It was not found a short while ago: to start it is of no use. */
	get isMissing(): boolean {
		const missing = this.#missing;
		if (missing === null || missing.program !== this.program) return false;
		return this.#options.clock.monotonic() - missing.sinceMs < MISSING_RETRY_MS;
	}

	/** It was not found. The log is told once for each program, by `warning`. */
	notFound(program: string, warning: string): void {
		const { clock, log } = this.#options;
		this.#missing = { program, sinceMs: clock.monotonic() };
		if (this.#told.has(program)) return;
		this.#told.add(program);
		log.warn({ program }, warning);
	}
}
