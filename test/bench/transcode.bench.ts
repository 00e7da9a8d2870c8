/**
 * What sound in another codec costs, in real time, for one stream: CPU of ffmpeg and of the node, and how much later
 * sound comes than a packet of it could at the earliest, when the frame with its last sample has come. In about a minute.
 */

import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "#shared/clock.ts";
import { frameTicksOf } from "../../media-node/codecs/audio-duration.ts";
import { createLogger } from "../../media-node/log.ts";
import { AudioTranscoder } from "../../media-node/transcode/audio-transcoder.ts";
import { Ffmpeg } from "../../media-node/transcode/ffmpeg.ts";
import { ENCODER_DELAY, PACKET_SAMPLES, type TargetCodec } from "../../media-node/transcode/ffmpeg-arguments.ts";
import { transcodeInputOf } from "../../media-node/transcode/transcode-input.ts";
import { aacSound, g711Sound, type SoundFrames } from "../support/sound.ts";
import { printTable, quantile, verdict } from "./table.ts";

const WARM_UP_MS = 3000;
const MEASURE_MS = 20_000;
/** Percent of a core, ffmpeg's and ours. */
const CPU_GOAL = 3;
const P50_GOAL_MS = 60;
/** Without sound, to know what the clock of this bench costs. */
const IDLE_MS = 5000;

type Figures = { readonly program: number; readonly node: number; readonly latencies: readonly number[] };

const idle = await idleCpu();
const seconds = (WARM_UP_MS + MEASURE_MS) / 1000 + 1;
const rows = [
	row("AAC 44.1 kHz stereo to Opus", await measure(await aacSound(seconds), "Opus"), true),
	row("G.711 to Opus", await measure(await g711Sound(seconds), "Opus"), true),
	row("G.711 to AAC", await measure(await g711Sound(seconds), "AAC"), false),
];
console.log("One stream of sound in real time: CPU in percent of a core, added latency in ms");
printTable([["", "ffmpeg", "node", "both", "goal", "p50", "goal", "p95"], ...rows]);

/** Goals are for what is heard live. */
function row(name: string, { program, node, latencies }: Figures, hasGoals: boolean): string[] {
	const p50 = quantile(latencies, 0.5);
	return [
		name,
		program.toFixed(2),
		node.toFixed(2),
		(program + node).toFixed(2),
		hasGoals ? verdict(program + node, "at most", CPU_GOAL) : "",
		p50.toFixed(1),
		hasGoals ? verdict(p50, "at most", P50_GOAL_MS) : "",
		quantile(latencies, 0.95).toFixed(1),
	];
}

async function measure({ codec, clockRate, frames }: SoundFrames, to: TargetCodec): Promise<Figures> {
	const input = transcodeInputOf(codec, clockRate);
	const frameTicks = frameTicksOf(codec, clockRate);
	if (input === null || frameTicks === null) throw new TypeError(`Cannot decode ${codec.name}`);
	const { log } = createLogger({ level: "warn", structured: false });
	const clock = systemClock;
	/** When each frame was pushed, and where it ended, in samples at 48 kHz. */
	const pushed: { readonly atMs: number; readonly end48k: number }[] = [];
	const latencies: number[] = [];
	let isMeasuring = false;
	let at = 0;
	await using transcoder = new AudioTranscoder({
		...{ input, clockRate, frameTicks, to, clock, log, missingWarning: "There is no ffmpeg" },
		ffmpeg: new Ffmpeg({ program: () => "ffmpeg", clock, log }),
		onPacket: (time) => {
			const needed = time + ENCODER_DELAY[to] + PACKET_SAMPLES[to];
			while (at < pushed.length && (pushed[at]?.end48k ?? 0) < needed) at++;
			const completing = pushed[at];
			if (isMeasuring && completing !== undefined) latencies.push(performance.now() - completing.atMs);
		},
	});

	const beganMs = performance.now();
	let ticks = 0;
	let before = { program: 0, node: process.cpuUsage() };
	let measuredMs = 0;
	for (const frame of frames) {
		const elapsedMs = performance.now() - beganMs;
		await wait(Math.max(0, (ticks * 1000) / clockRate - elapsedMs));
		if (!isMeasuring && elapsedMs > WARM_UP_MS) {
			isMeasuring = true;
			measuredMs = performance.now();
			before = { program: transcoder.cpuSeconds, node: process.cpuUsage() };
		}
		if (isMeasuring && performance.now() - measuredMs > MEASURE_MS) break;
		pushed.push({ atMs: performance.now(), end48k: Math.round(((ticks + frameTicks(frame)) * 48_000) / clockRate) });
		transcoder.push(ticks, frame);
		ticks += frameTicks(frame);
	}
	const passedMs = performance.now() - measuredMs;
	const { user, system } = process.cpuUsage(before.node);
	return {
		program: ((transcoder.cpuSeconds - before.program) * 100_000) / passedMs,
		node: Math.max(0, (user + system) / 10 / passedMs - idle),
		latencies,
	};
}

/** Percent of a core that it takes to wait for the time of each frame. */
async function idleCpu(): Promise<number> {
	const beganMs = performance.now();
	const before = process.cpuUsage();
	for (let ms = 0; ms < IDLE_MS; ms += 1024 / 44.1) await wait(Math.max(0, ms - (performance.now() - beganMs)));
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 10 / (performance.now() - beganMs);
}
