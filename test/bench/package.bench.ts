/**
 * What packaging a stream of H.264 and AAC as HLS costs of one core, beside a packager that copies each access unit,
 * keeps objects and concatenates whole segments, as is common. Run: `node test/bench/package.bench.ts`.
 */

import { GoneError } from "#shared/problem.ts";
import { ByteWriter } from "../../media-node/bytes/byte-writer.ts";
import { ArenaPool } from "../../media-node/hls/arena-pool.ts";
import { Packager } from "../../media-node/hls/packager.ts";
import { writeFragmentHeader } from "../../media-node/mp4/fragment.ts";
import type { Unit } from "../../media-node/stream/unit.ts";
import { audioTrack, interleaved, plainAudio, plainVideo, videoTrack } from "../support/synthetic-units.ts";

const VIDEO_BITRATE = 4_000_000;
const AUDIO_BITRATE = 128_000;
const SECONDS = 60;
const ROUNDS = 7;
/** The packager must not cost more than this, nor more than the naive one. */
const GOAL_MS_PER_SECOND = 0.5;

const VIDEO = videoTrack(0);
const AUDIO = audioTrack(1);
const units = interleaved(
	plainVideo(VIDEO, SECONDS, { gop: 60, size: VIDEO_BITRATE / 8 / 30 }),
	plainAudio(AUDIO, SECONDS, { size: Math.floor((AUDIO_BITRATE / 8 / 48_000) * 1024) }),
);

const pool = new ArenaPool();

function packageUnits(): number {
	let bytes = 0;
	const packager = new Packager({
		segmentDurationMs: 2000,
		pool,
		onSegment: (segment) => {
			for (const part of segment.parts) bytes += part.bytes.length;
			segment.release();
		},
		onSkippedTrack: () => undefined,
		onKeyFrameNeeded: () => undefined,
		onProblem: () => undefined,
	});
	packager.begin([VIDEO, AUDIO]);
	for (const unit of units) packager.push(unit);
	packager.end(new GoneError("stream.ended", "The bench is over"));
	return bytes;
}

type Sample = { dts: number; pts: number; size: number; sync: boolean; data: Buffer };

function packageNaively(): number {
	let bytes = 0;
	let video: Sample[] = [];
	let audio: Sample[] = [];
	const close = (kind: "video" | "audio", samples: Sample[], end: number) => {
		if (samples.length === 0) return;
		const w = new ByteWriter();
		writeFragmentHeader(w, { kind, sequence: 1, decodeTime: samples[0]!.dts, samples, end });
		const media = Buffer.concat(samples.map(({ data }) => data));
		bytes += Buffer.concat([w.written, media]).length;
	};
	let beginMs = 0;
	for (const unit of units) {
		const timeMs = (unit.pts * 1000) / unit.track.clockRate;
		if (unit.track.kind === "video" && unit.randomAccess && timeMs - beginMs >= 2000) {
			close("video", video, unit.dts);
			const rest = audio.findIndex(({ pts }) => pts / 48 >= timeMs);
			const mine = rest === -1 ? audio : audio.slice(0, rest);
			close("audio", mine, mine.at(-1)!.dts + 1024);
			audio = rest === -1 ? [] : audio.slice(rest);
			video = [];
			beginMs = timeMs;
		}
		const list = unit.track.kind === "video" ? video : audio;
		const data = unit.track.kind === "video" ? lengthPrefixed(unit) : Buffer.concat(unit.frames);
		list.push({ dts: unit.dts, pts: unit.pts, size: data.length, sync: unit.randomAccess, data });
	}
	close("video", video, video.at(-1)!.dts + 3000);
	close("audio", audio, audio.at(-1)!.dts + 1024);
	return bytes;
}

function lengthPrefixed(unit: Unit): Buffer {
	return Buffer.concat(
		unit.frames.map((nal) => {
			const length = Buffer.alloc(4);
			length.writeUInt32BE(nal.length);
			return Buffer.concat([length, nal]);
		}),
	);
}

function msPerStreamSecond(run: () => number): number {
	const start = process.cpuUsage();
	run();
	const { user, system } = process.cpuUsage(start);
	return (user + system) / 1000 / SECONDS;
}

const [size, naiveSize] = [packageUnits(), packageNaively()];
if (size !== naiveSize) throw new Error(`The two packagers differ: ${size} and ${naiveSize} bytes`);

const ours: number[] = [];
const naive: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
	ours.push(msPerStreamSecond(packageUnits));
	naive.push(msPerStreamSecond(packageNaively));
}
const median = (values: number[]) => values.sort((a, b) => a - b)[ROUNDS >> 1]!;
const cost = median(ours);
const naiveCost = median(naive);
console.log(
	`package H.264 4 Mbit/s and AAC as HLS: ${cost.toFixed(3)} ms a stream second; naively: ${naiveCost.toFixed(3)} ms`,
);
console.log(
	`ratio ${(cost / naiveCost).toFixed(2)}; ${Math.round(1000 / cost)} streams a core; ${pool.made} arenas made`,
);
if (cost > GOAL_MS_PER_SECOND || cost > naiveCost) {
	console.error(`above the goal of ${GOAL_MS_PER_SECOND} ms, or above the naive packager`);
	process.exitCode = 1;
}
