import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { AAC_TRACK, H264_TRACK, RecordingUnitSink, recordingLogger } from "../../test/support/rtp-stream.ts";
import { g711Sound, heard, ONSET_SECONDS, onsetOf } from "../../test/support/sound.ts";
import { writeAudioSpecificConfig } from "../codecs/aac.ts";
import type { Track } from "../stream/track.ts";
import type { Unit } from "../stream/unit.ts";
import { SoundForHls } from "./sound-for-hls.ts";
import { Transcoders } from "./transcoders.ts";

const G711: Track = {
	index: 1,
	kind: "audio",
	codec: { name: "G711", law: "mu", sampleRate: 8000, channels: 1 },
	clockRate: 8000,
	rtp: { payloadType: 0, encoding: "PCMU/8000", fmtp: "" },
};
const OPUS: Track = {
	...{ index: 1, kind: "audio", codec: { name: "Opus", channels: 2 }, clockRate: 48_000 },
	rtp: { payloadType: 97, encoding: "opus/48000/2", fmtp: "" },
};
const START_MS = Date.UTC(2026, 0, 1);

let open: AsyncDisposable[] = [];
afterEach(async () => {
	for (const part of open.reverse()) await part[Symbol.asyncDispose]();
	open = [];
});

function world({ audioTranscode = true, hlsAudio = "original" as "original" | "aac", program = "ffmpeg" } = {}) {
	const log = recordingLogger();
	const transcoders = new Transcoders({ clock: systemClock, log, program: () => program });
	open.push(transcoders);
	const sink = new RecordingUnitSink();
	const sound = new SoundForHls(sink, {
		path: parsePathName("cam01"),
		config: { audioTranscode, hlsAudio },
		transcoders,
		isPackaged: ({ codec }) => codec.name !== "G711",
	});
	return { log, transcoders, sink, sound };
}

function soundUnits(frames: readonly Uint8Array[], from = 0, track = G711): Unit[] {
	return frames.map((frame, i) => {
		const pts = from + i * 160;
		return { track, pts, dts: pts, wallclockMs: START_MS + pts / 8, randomAccess: true, frames: [frame] };
	});
}

const PICTURE: Unit = {
	...{ track: H264_TRACK, pts: 0, dts: 0, wallclockMs: START_MS, randomAccess: true },
	frames: [new Uint8Array(10)],
};

describe("SoundForHls", () => {
	it("makes AAC of a codec that is not packaged, with the times of the stream, and lets pictures through at once", async () => {
		const { sink, sound } = world();
		sound.begin([H264_TRACK, G711]);
		expect(sink.begun).toEqual([
			[
				H264_TRACK,
				expect.objectContaining({
					...{ index: 1, kind: "audio", clockRate: 48_000 },
					codec: { name: "MPEG-4 Audio", config: writeAudioSpecificConfig({ sampleRate: 48_000, channels: 1 }) },
				}),
			],
		]);
		const { frames } = await g711Sound(2);
		for (const unit of soundUnits(frames)) sound.push(unit);
		sound.push(PICTURE);
		expect(sink.units).toEqual([PICTURE]);
		const heardUnits = () => sink.units.filter(({ track }) => track.index === 1);
		await eventually("the sound", () => heardUnits().length >= 2 * 46.875 - 4);
		const units = heardUnits();
		expect(units[0]?.pts).toBe(0);
		expect(units.map(({ pts }) => pts)).toEqual(units.map((_, i) => i * 1024));
		for (const { pts, dts, wallclockMs } of units) {
			expect(dts).toBe(pts);
			expect(Math.abs(wallclockMs - START_MS - pts / 48)).toBeLessThan(0.01);
		}
		const pcm = await heard(
			units[0]?.track.codec ?? G711.codec,
			units.flatMap(({ frames: [frame] }) => frame ?? []),
		);
		expect(Math.abs(onsetOf(pcm) / 48_000 - ONSET_SECONDS)).toBeLessThan(0.01);
		sound.end(new GoneError("stream.ended", "The test is over"));
	});

	it("begins anew after a break and after a pause, and ends the program with the stream", async () => {
		const { sink, sound, transcoders } = world();
		const { frames } = await g711Sound(1);
		const soundOf = () => sink.units.filter(({ track }) => track.index === 1);
		sound.begin([H264_TRACK, G711]);
		for (const unit of soundUnits(frames, 80_000)) sound.push(unit);
		await eventually("sound", () => soundOf().length > 10);
		sound.begin([H264_TRACK, G711]);
		expect(transcoders.pids).toEqual([]);
		for (const unit of soundUnits(frames, 8000)) sound.push(unit);
		await eventually("sound behind the break", () => (soundOf().at(-1)?.pts ?? 480_000) < 480_000);
		expect(transcoders.list()).toMatchObject([{ from: "G711", to: "AAC", restarts: 1 }]);
		sound.pause();
		expect(transcoders.pids).toEqual([]);
		sound.end(new GoneError("stream.ended", "The test is over"));
		await eventually("the end", () => transcoders.list().length === 0);
		expect(sink.calls.filter((call) => call !== "unit")).toEqual(["begin", "begin", "pause", "end"]);
	});

	it.each<[string, Track, "original" | "aac", boolean, string]>([
		["AAC", AAC_TRACK, "aac", true, "MPEG-4 Audio"],
		["Opus", OPUS, "original", true, "Opus"],
		["Opus, whose path wants AAC", OPUS, "aac", true, "MPEG-4 Audio"],
		["Opus, whose path wants AAC but nothing transcoded", OPUS, "aac", false, "Opus"],
		["G.711, whose path wants nothing transcoded", G711, "original", false, "G711"],
	])("tells the packager the right codec for %s", (_, track, hlsAudio, audioTranscode, expected) => {
		const { sink, sound, transcoders } = world({ hlsAudio, audioTranscode });
		sound.begin([H264_TRACK, track]);
		expect(sink.begun[0]?.[1]?.codec.name).toBe(expected);
		const isChanged = sink.begun[0]?.[1] !== track;
		expect(transcoders.list()).toHaveLength(isChanged ? 1 : 0);
		sound[Symbol.dispose]();
	});

	it("leaves the track to the packager, which says so, when the program is known to be missing", async () => {
		const { sink, sound, log } = world({ program: "/nowhere/ffmpeg" });
		sound.begin([H264_TRACK, G711]);
		const { frames } = await g711Sound(1);
		for (const unit of soundUnits(frames)) sound.push(unit);
		sound.push(PICTURE);
		await eventually("the warning", () => log.lines.find(({ level }) => level === "warn"));
		sound.end(new GoneError("stream.ended", "The test is over"));
		expect(sink.units).toEqual([PICTURE]);
		sound.begin([H264_TRACK, G711]);
		expect(sink.begun[1]).toEqual([H264_TRACK, G711]);
	});
});
