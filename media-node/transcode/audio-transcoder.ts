import type { Clock } from "#shared/clock.ts";
import { ProtocolError } from "#shared/problem.ts";
import type { FrameTicks } from "../codecs/audio-duration.ts";
import type { Logger } from "../log.ts";
import { cpuSecondsOf } from "./cpu-seconds.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import {
	ENCODER_DELAY,
	ffmpegArguments,
	OUTPUT_CLOCK_RATE,
	outputChannels,
	PACKET_SAMPLES,
	type TargetCodec,
} from "./ffmpeg-arguments.ts";
import { type FfmpegExit, FfmpegProcess } from "./ffmpeg-process.ts";
import { matroskaFrame, matroskaHeader } from "./matroska-writer.ts";
import { PacketCutter } from "./packet-cutter.ts";
import { describedBy, type TranscodeInput } from "./transcode-input.ts";

/** A gap up to this long becomes silence; after a longer one, or a step back, the program begins anew. */
export const MAX_GAP_MS = 1000;
/** Frames that are this much before their time are cut by the program; earlier ones are of a clock that was set back. */
const MAX_OVERLAP_MS = 200;
/** Clocks that leap more often than this are not followed: what comes is dropped meanwhile. */
export const LEAP_INTERVAL_MS = 1000;
/** A program that got sound all this time and gave none is stuck. */
export const STALL_MS = 5000;
/** The pause before the program is started again after it died, doubled each time. */
export const MIN_BACK_OFF_MS = 250;
export const MAX_BACK_OFF_MS = 30_000;
/** A program that lived this long was well. */
const HEALTHY_MS = 10_000;

export type AudioTranscoderOptions = {
	readonly input: TranscodeInput;
	/** Of the times that come in. */
	readonly clockRate: number;
	readonly frameTicks: FrameTicks;
	readonly to: TargetCodec;
	readonly ffmpeg: Ffmpeg;
	readonly clock: Clock;
	readonly log: Logger;
	/** What the log says once when the program is not there. */
	readonly missingWarning: string;
	/** A packet, and its time at {@link OUTPUT_CLOCK_RATE} from the same zero as the input's. The bytes are its own. */
	readonly onPacket: (time48k: number, bytes: Uint8Array) => void;
};

export type TranscodeCounters = {
	packetsIn: number;
	packetsOut: number;
	/** Frames that were left out: nobody was there to take them, or they were not timed in order. */
	dropped: number;
	/** How many times a program was started after the first. */
	restarts: number;
};

/**
 * Sound of one track in another codec. Frames go in and packets come out later; neither call waits. It starts its
 * program with the first frame, and again when that dies.
 */
export class AudioTranscoder implements AsyncDisposable {
	readonly counters: TranscodeCounters = { packetsIn: 0, packetsOut: 0, dropped: 0, restarts: 0 };
	readonly #options: AudioTranscoderOptions;
	#input: TranscodeInput;
	#run: FfmpegProcess | null = null;
	/** Those that end. */
	readonly #ending = new Set<Promise<void>>();
	#started = 0;
	/** Time of the first frame of this run, and where the next frame is due, in ticks of the input. */
	#zero = 0;
	#due = 0;
	/** Of the next packet, counted at the rate of the output. */
	#nextTime = 0;
	/** On the monotonic clock. */
	#startedMs = 0;
	/** Since when there has been input, but no output. */
	#waitingMs: number | null = null;
	#leaptMs = Number.NEGATIVE_INFINITY;
	#retryMs = Number.NEGATIVE_INFINITY;
	#backOffMs = MIN_BACK_OFF_MS;
	/** The log knows that it fails. */
	#failing = false;
	#closed = false;

	constructor(options: AudioTranscoderOptions) {
		this.#options = options;
		this.#input = options.input;
	}

	/** CPU time of the program that runs now; 0 where the system does not say. */
	get cpuSeconds(): number {
		return cpuSecondsOf(this.#run?.pid);
	}

	get pid(): number | undefined {
		return this.#run?.pid;
	}

	/** One whole frame, which is copied, and its time in ticks. */
	push(ticks: number, frame: Uint8Array): void {
		if (this.#closed) return;
		const { clockRate, frameTicks, clock } = this.#options;
		this.counters.packetsIn++;
		const nowMs = clock.monotonic();
		const duration = frameTicks(frame);
		if (duration === 0 || !this.#isInOrder(ticks, nowMs) || !this.#isReady(ticks, frame, nowMs)) {
			this.counters.dropped++;
			return;
		}
		this.#waitingMs ??= nowMs;
		if (nowMs - this.#waitingMs > STALL_MS) {
			this.#fail({ isMissing: false, message: `it gave no sound for ${STALL_MS / 1000} s` });
			this.counters.dropped++;
			return;
		}
		const run = this.#run;
		if (run === null) return;
		const droppedBefore = run.dropped;
		run.write(matroskaFrame(Math.round(((ticks - this.#zero) * 1e6) / clockRate), frame));
		this.counters.dropped += run.dropped - droppedBefore;
		this.#due = ticks + duration;
	}

	/** What was begun ends; what follows begins anew. */
	restart(): void {
		this.#leave();
	}

	/** Ends the program, and resolves when it is gone. No packet comes any more. Idempotent. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#leave();
		await Promise.all(this.#ending);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	/** Leaves the program that runs when time leaps. */
	#isInOrder(ticks: number, nowMs: number): boolean {
		if (!Number.isSafeInteger(ticks)) return false;
		if (this.#run === null) return true;
		const aheadMs = ((ticks - this.#due) * 1000) / this.#options.clockRate;
		if (aheadMs <= MAX_GAP_MS && aheadMs >= -MAX_OVERLAP_MS && ticks >= this.#zero) return true;
		if (nowMs - this.#leaptMs < LEAP_INTERVAL_MS) return false;
		this.#leaptMs = nowMs;
		this.#leave();
		return true;
	}

	/** Makes sure that there is a program. */
	#isReady(ticks: number, frame: Uint8Array, nowMs: number): boolean {
		if (this.#run !== null) return true;
		const { ffmpeg } = this.#options;
		if (nowMs < this.#retryMs || ffmpeg.isMissing) return false;
		const input = describedBy(this.#input, frame);
		if (input === null) return false;
		this.#input = input;
		this.#start(ticks, nowMs);
		return true;
	}

	#start(ticks: number, nowMs: number): void {
		const { to, ffmpeg, clock, clockRate, log } = this.#options;
		const channels = outputChannels(this.#options.input);
		const cutter = new PacketCutter(to, channels);
		const { program } = ffmpeg;
		const run: FfmpegProcess = new FfmpegProcess(
			{
				program,
				args: ffmpegArguments(this.#input, to, channels),
				clock,
				onOutput: (bytes) => {
					if (this.#run === run) this.#give(run, cutter, bytes);
				},
				onExit: (exit) => {
					if (this.#run !== run) return;
					if (exit.isMissing) ffmpeg.notFound(program, this.#options.missingWarning);
					this.#fail(exit);
				},
			},
			matroskaHeader(this.#input),
		);
		this.#run = run;
		this.#zero = ticks;
		this.#due = ticks;
		this.#nextTime = Math.round((ticks * OUTPUT_CLOCK_RATE) / clockRate) - ENCODER_DELAY[to];
		this.#startedMs = nowMs;
		this.#waitingMs = null;
		if (this.#started++ > 0) this.counters.restarts++;
		log.debug({ pid: run.pid, program }, "A transcoder was started");
	}

	#give(run: FfmpegProcess, cutter: PacketCutter, bytes: Uint8Array): void {
		const { to, clock, onPacket } = this.#options;
		this.#waitingMs = null;
		if (clock.monotonic() - this.#startedMs > HEALTHY_MS) {
			this.#backOffMs = MIN_BACK_OFF_MS;
			this.#failing = false;
		}
		try {
			for (const packet of cutter.push(bytes)) {
				// Whoever took the last one may have closed this.
				if (this.#run !== run) return;
				const time48k = this.#nextTime;
				this.#nextTime += PACKET_SAMPLES[to];
				this.counters.packetsOut++;
				onPacket(time48k, packet);
			}
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			this.#fail({ isMissing: false, message: error.message });
		}
	}

	#fail({ isMissing, message }: FfmpegExit): void {
		this.#leave();
		this.#retryMs = this.#options.clock.monotonic() + this.#backOffMs;
		this.#backOffMs = Math.min(MAX_BACK_OFF_MS, this.#backOffMs * 2);
		if (isMissing || this.#failing) return;
		this.#failing = true;
		this.#options.log.error({ program: this.#options.ffmpeg.program }, `The transcoder of sound failed: ${message}`);
	}

	#leave(): void {
		const run = this.#run;
		if (run === null) return;
		this.#run = null;
		const ended = run.close().finally(() => this.#ending.delete(ended));
		this.#ending.add(ended);
	}
}
