import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { H264_TRACK, RecordingPacketSink, recordingLogger } from "../../test/support/rtp-stream.ts";
import { frequencyOf, g711Sound, heard, onsetOf, TONE_HZ } from "../../test/support/sound.ts";
import type { Publication } from "../stream/publication.ts";
import { Stream } from "../stream/stream.ts";
import type { Track } from "../stream/track.ts";
import { SoundInOpus } from "./opus-of.ts";
import { Transcoders } from "./transcoders.ts";

const G711: Track = {
	index: 1,
	kind: "audio",
	codec: { name: "G711", law: "mu", sampleRate: 8000, channels: 1 },
	clockRate: 8000,
	rtp: { payloadType: 0, encoding: "PCMU/8000", fmtp: "" },
};
const OPUS: Track = {
	...{ index: 1, kind: "audio", codec: { name: "Opus", channels: 1 }, clockRate: 48_000 },
	rtp: { payloadType: 97, encoding: "opus/48000/2", fmtp: "" },
};
/** Close to where RTP time stamps roll over. */
const FROM = 2 ** 32 - 8000;

let open: AsyncDisposable[] = [];
afterEach(async () => {
	for (const part of open.reverse()) await part[Symbol.asyncDispose]();
	open = [];
});

function world({ tracks = [H264_TRACK, G711] as readonly Track[], audioTranscode = true, program = "ffmpeg" } = {}) {
	const log = recordingLogger();
	const clock = systemClock;
	const transcoders = new Transcoders({ clock, log, program: () => program });
	const sound = new SoundInOpus({ transcoders, clock, log, configOf: () => ({ audioTranscode }) });
	open.push(transcoders, sound);
	const config = { ...DEFAULT_PATH_CONFIG, maxReaders: 1 };
	const joined: boolean[] = [];
	const onReader = (_: unknown, isThere: boolean) => void joined.push(isThere);
	const stream = new Stream({ path: parsePathName("cam01"), config, clock, log, onReader });
	const publish = (now = tracks) => {
		const publisher = { id: "p", protocol: "rtsp", remoteAddress: "127.0.0.1:5000" };
		const request = { path: stream.path, tracks: now, publisher, onEvicted: () => undefined };
		return stream.publish(request, () => undefined);
	};
	return { log, transcoders, sound, stream, publish, joined };
}

function speak(publication: Publication, frames: readonly Uint8Array[], from: number) {
	frames.forEach((frame, i) => {
		const pts = from + i * 160;
		publication.writeUnit(1, { pts, dts: pts, wallclockMs: 0, randomAccess: true, frames: [frame] });
		publication.flush();
	});
}

describe("SoundInOpus", () => {
	it("gives a stream of one track, whose packets are the source's sound, with the source's times at 48 kHz", async () => {
		const { sound, stream, publish } = world();
		const publication = publish();
		const derived = sound.opusOf(stream.reading());
		expect(derived?.tracks).toMatchObject([
			{ index: 0, kind: "audio", codec: { name: "Opus", channels: 1 }, clockRate: 48_000 },
		]);
		expect(derived?.tracks[0]?.rtp.encoding).toBe("opus/48000/2");
		const sink = new RecordingPacketSink();
		const plain = new RecordingPacketSink();
		const seat = derived?.readPackets(sink);
		const plainSeat = stream.readPackets(plain);
		const { frames } = await g711Sound(2);
		publication.writeSenderReport(1, { wallclockMs: 1_000_000, rtpTime: FROM + 4000 });
		speak(publication, frames, FROM);
		await eventually("the packets", () => sink.packets.length >= 2 * 50 - 3);

		const times = sink.packets.map(({ timestamp }) => timestamp);
		const first = ((FROM * 6 - 312) % 2 ** 32) >>> 0;
		expect(times).toEqual(times.map((_, i) => (first + i * 960) >>> 0));
		expect(new Set(sink.packets.map(({ ssrc }) => ssrc))).toEqual(new Set([derived?.ssrcOf(0)]));
		const pcm = await heard(
			{ name: "Opus", channels: 1 },
			sink.packets.map(({ payload }) => payload),
		);
		expect(Math.abs(onsetOf(pcm) - 312 - 24_000)).toBeLessThan(200);
		expect(Math.abs(frequencyOf(pcm.subarray(30_000, 78_000)) - TONE_HZ)).toBeLessThan(5);

		// What one wall-clock time was at the source, and is here.
		const report = await eventually("a report", () => sink.reports[0]);
		const source = plain.reports[0];
		expect(report.track).toBe(0);
		expect(report.report.wallclockMs).toBe(source?.report.wallclockMs);
		expect(report.report.rtpTime).toBe((((FROM + 4000) * 6) % 2 ** 32) >>> 0);
		expect(source?.report.rtpTime).toBe(FROM + 4000);
		seat?.[Symbol.dispose]();
		plainSeat[Symbol.dispose]();
	});

	it("runs one program for all who read, from the first to the last, and counts as no reader", async () => {
		const { sound, stream, publish, transcoders, joined } = world();
		const publication = publish();
		const derived = sound.opusOf(stream.reading());
		expect(sound.opusOf(stream.reading())).toBe(derived);
		const { frames } = await g711Sound(1);
		speak(publication, frames, 0);
		expect(transcoders.list()).toEqual([]);

		const sinks = [new RecordingPacketSink(), new RecordingPacketSink()];
		const seats = sinks.map((sink) => derived?.readPackets(sink));
		speak(publication, frames, 8000);
		await eventually("packets", () => sinks.every(({ packets }) => packets.length > 10));
		expect(transcoders.list()).toMatchObject([{ path: "cam01", from: "G711", to: "Opus", packetsIn: frames.length }]);
		expect([stream.readerCount, stream.snapshot.readers, joined]).toEqual([0, [], []]);
		expect(() => stream.expectRoom()).not.toThrow();
		const [pid = 0] = transcoders.pids;

		seats[0]?.[Symbol.dispose]();
		expect(transcoders.pids).toEqual([pid]);
		seats[1]?.[Symbol.dispose]();
		await eventually("the end of the program", () => transcoders.list().length === 0);
		expect(() => process.kill(pid, 0)).toThrow("ESRCH");

		const again = new RecordingPacketSink();
		const seat = derived?.readPackets(again);
		speak(publication, frames, 16_000);
		await eventually("packets again", () => again.packets.length > 10);
		expect(again.packets[0]?.timestamp).toBe(16_000 * 6 - 312);
		seat?.[Symbol.dispose]();
	});

	it("ends its readers when the source ends, and when that comes back with other tracks", async () => {
		const { sound, stream, publish, transcoders } = world();
		const publication = publish();
		const first = new RecordingPacketSink();
		sound.opusOf(stream.reading())?.readPackets(first);
		speak(publication, (await g711Sound(1)).frames, 0);
		await eventually("packets", () => first.packets.length > 10);
		publication.close();
		publish([H264_TRACK, { ...G711, codec: { name: "G711", law: "a", sampleRate: 8000, channels: 1 } }]);
		expect(first.ended).toMatchObject([{ code: "stream.ended" }]);
		const second = new RecordingPacketSink();
		sound.opusOf(stream.reading())?.readPackets(second);
		const reason = new GoneError("stream.ended", "It is over");
		stream.end(reason);
		expect(second.ended).toEqual([reason]);
		await eventually("the end of the programs", () => transcoders.list().length === 0);
		expect(() => sound.opusOf(stream)?.readPackets(new RecordingPacketSink())).toThrow("has ended");
	});

	it.each<[string, readonly Track[], boolean]>([
		["there is Opus already", [H264_TRACK, OPUS], true],
		["there is Opus besides", [G711, OPUS].map((track, index) => ({ ...track, index })), true],
		["there is no sound", [H264_TRACK], true],
		["nobody knows the codec", [H264_TRACK, { ...G711, codec: { name: "Generic" } }], true],
		["the path's settings say so", [H264_TRACK, G711], false],
	])("has nothing when %s", (_, tracks, audioTranscode) => {
		const { sound, stream, publish } = world({ tracks, audioTranscode });
		publish();
		expect(sound.opusOf(stream.reading())).toBeNull();
	});

	it("has nothing once the program is known to be missing, of which the node warns once", async () => {
		const { sound, stream, publish, log, transcoders } = world({ program: "/nowhere/ffmpeg" });
		const publication = publish();
		const { frames } = await g711Sound(1);
		const seat = sound.opusOf(stream.reading())?.readPackets(new RecordingPacketSink());
		speak(publication, frames, 0);
		await eventually("the warning", () => log.lines.some(({ level }) => level === "warn"));
		expect(sound.opusOf(stream.reading())).toBeNull();
		seat?.[Symbol.dispose]();
		expect(log.lines.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
			"cam01 has no sound for WebRTC, which takes Opus and gets G711: install ffmpeg, name it with ffmpegPath, " +
				"or set audioTranscode: no",
		]);
		await eventually("the end", () => transcoders.list().length === 0);
	});

	it("ends all readers and programs when it is closed", async () => {
		const { sound, stream, publish, transcoders } = world();
		const publication = publish();
		const sink = new RecordingPacketSink();
		sound.opusOf(stream.reading())?.readPackets(sink);
		speak(publication, (await g711Sound(1)).frames, 0);
		await eventually("packets", () => sink.packets.length > 10);
		const [pid = 0] = transcoders.pids;
		await sound[Symbol.asyncDispose]();
		expect(sink.ended).toMatchObject([{ code: "stream.ended" }]);
		expect(() => process.kill(pid, 0)).toThrow("ESRCH");
		expect(sound.opusOf(stream.reading())).toBeNull();
	});
});
