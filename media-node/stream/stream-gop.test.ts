import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import {
	AAC_TRACK,
	Camera,
	H264_PPS,
	H264_SPS,
	H264_TRACK,
	nal,
	RecordingPacketSink,
	recordingLogger,
} from "../../test/support/rtp-stream.ts";
import { Stream } from "./stream.ts";
import type { Track } from "./track.ts";

function streamOf(tracks: readonly Track[] = [H264_TRACK, AAC_TRACK], rtspGOPCache = true) {
	const clock = new FakeClock();
	const log = recordingLogger();
	const joined: boolean[] = [];
	const config = { ...DEFAULT_PATH_CONFIG, rtspGOPCache };
	const onReader = (_: unknown, joins: boolean) => void joined.push(joins);
	const stream = new Stream({ path: parsePathName("cam01"), config, clock, log, onReader });
	const publish = () => {
		const publisher = { id: "p", protocol: "rtsp", remoteAddress: "127.0.0.1:5000" };
		const request = { path: stream.path, tracks, publisher, onEvicted: () => undefined };
		return stream.publish(request, () => undefined);
	};
	return { clock, log, stream, publish, joined };
}

/** A key frame and nine others at 25 a second, with sound after each; begins at time stamp `from`. */
async function groupOfPictures(camera: Camera, clock: FakeClock, from = 0, fill = 1) {
	for (let i = 0; i < 10; i++) {
		if (i === 0) camera.key(from, fill);
		else camera.video(from + i * 3600, nal(1, 40, fill));
		camera.audio(500 + from / 3600 + i, (from / 3600 + i) * 1920);
		await clock.advance(40);
	}
}

describe("a reader of packets, with the cache of a group of pictures", () => {
	it("begins with the last key frame, catches up, and from there on gets the same batches as all", async () => {
		const { clock, stream, publish, joined } = streamOf();
		const early = new RecordingPacketSink();
		const camera = new Camera(publish());
		stream.readPackets(early);
		await groupOfPictures(camera, clock, 0);
		await groupOfPictures(camera, clock, 36_000);
		const late = new RecordingPacketSink();
		const seat = stream.readPackets(late);
		expect(late.batches).toEqual([]);
		await groupOfPictures(camera, clock, 72_000);
		const expected = early.batches.slice(20);
		expect(late.batches).toEqual(expected);
		for (const [i, batch] of late.batches.entries()) expect(batch).toBe(expected[i]);
		expect(late.packets[0]).toMatchObject({ timestamp: 36_000, payload: H264_SPS });
		expect(clock.pending).toBe(0);
		seat[Symbol.dispose]();
		expect(joined).toEqual([true, true, false]);
		expect(stream.readerCount).toBe(1);
	});

	it("begins so also when nobody read before, and when the publisher has no packets", async () => {
		const { clock, stream, publish } = streamOf([H264_TRACK]);
		const publication = publish();
		for (const [i, randomAccess] of [true, false, true, false].entries()) {
			const frames = randomAccess ? [H264_SPS, H264_PPS, nal(5, 50, i)] : [nal(1, 50, i)];
			publication.writeUnit(0, { pts: i * 3600, dts: i * 3600, wallclockMs: 0, randomAccess, frames });
			publication.flush();
		}
		const sink = new RecordingPacketSink();
		stream.readPackets(sink);
		await clock.advance(10);
		expect(sink.packets.map(({ timestamp }) => timestamp)).toEqual([7200, 10_800]);
	});

	it("is told where its first packets are, and where the next ones are once it reads", async () => {
		const { clock, stream, publish } = streamOf();
		const camera = new Camera(publish(), { sequence: 100 });
		await groupOfPictures(camera, clock, 90_000);
		const asked = stream.reading();
		expect(asked.position(0)).toEqual({ sequence: 100, rtpTime: 90_000, ssrc: stream.ssrcOf(0) });
		expect(asked.position(1)).toEqual({ sequence: 525, rtpTime: 48_000, ssrc: stream.ssrcOf(1) });
		const sink = new RecordingPacketSink();
		const seat = asked.readPackets(sink);
		expect(asked.position(0)).toMatchObject({ sequence: 112, rtpTime: 90_000 + 36_000 });
		await clock.advance(10);
		expect(sink.packets[0]).toMatchObject({ sequence: 100, timestamp: 90_000 });
		seat[Symbol.dispose]();
		seat[Symbol.dispose]();
		expect(asked.position(0)).toMatchObject({ sequence: 100 });
		expect(stream.reading().position(7)).toBeNull();
	});

	it("gets the reports of before at once", async () => {
		const { clock, stream, publish } = streamOf();
		const publication = publish();
		const camera = new Camera(publication);
		await groupOfPictures(camera, clock);
		publication.writeSenderReport(0, { wallclockMs: clock.now(), rtpTime: 36_000 });
		const sink = new RecordingPacketSink();
		stream.readPackets(sink);
		expect(sink.reports).toMatchObject([{ track: 0, report: { wallclockMs: clock.now(), rtpTime: 36_000 } }]);
	});

	it("leaves no timer behind, however it goes", async () => {
		const { clock, stream, publish, log } = streamOf();
		await groupOfPictures(new Camera(publish()), clock);
		const seat = stream.readPackets(new RecordingPacketSink());
		expect(clock.pending).toBe(1);
		seat[Symbol.dispose]();
		expect(clock.pending).toBe(0);

		const broken = new RecordingPacketSink();
		broken.push = () => {
			throw new Error("broken");
		};
		stream.readPackets(broken);
		await clock.advance(10);
		expect(broken.ended.map(({ code }) => code)).toEqual(["session.closed"]);
		expect(log.lines).toMatchObject([{ level: "error" }]);
		expect([clock.pending, stream.readerCount]).toEqual([0, 0]);

		const sink = new RecordingPacketSink();
		stream.readPackets(sink);
		stream.end(new GoneError("stream.ended", "over"));
		expect([clock.pending, sink.ended.length, sink.batches.length]).toEqual([0, 1, 0]);
	});

	it("gets nothing of a publisher that went away", async () => {
		const { clock, stream, publish } = streamOf();
		const first = publish();
		await groupOfPictures(new Camera(first), clock);
		first.close();
		const between = new RecordingPacketSink();
		stream.readPackets(between);
		await clock.advance(1000);
		expect(between.batches).toEqual([]);
		const camera = new Camera(publish(), { ssrc: 2 });
		camera.video(0, nal(1));
		const sink = new RecordingPacketSink();
		stream.readPackets(sink);
		await clock.advance(1000);
		expect(sink.batches).toEqual([]);
		expect(between.batches).toHaveLength(1);
	});

	it("begins live when the setting is off or is turned off, and where there are no pictures", async () => {
		const settings = [
			{ tracks: [H264_TRACK, AAC_TRACK], isOn: false },
			{ tracks: [H264_TRACK, AAC_TRACK], isOn: true, isTurnedOff: true },
			{ tracks: [{ ...AAC_TRACK, index: 0 }, AAC_TRACK], isOn: true },
		];
		for (const { tracks, isOn, isTurnedOff } of settings) {
			const { clock, stream, publish } = streamOf(tracks, isOn);
			const camera = new Camera(publish());
			await groupOfPictures(camera, clock);
			if (isTurnedOff) stream.config = DEFAULT_PATH_CONFIG;
			const sink = new RecordingPacketSink();
			stream.readPackets(sink);
			expect(clock.pending).toBe(0);
			camera.audio(600, 600 * 1920);
			expect(sink.batches).toHaveLength(1);
		}
	});

	it("begins with the next key frame after the setting was turned on", async () => {
		const { clock, stream, publish } = streamOf([H264_TRACK, AAC_TRACK], false);
		const camera = new Camera(publish());
		await groupOfPictures(camera, clock);
		stream.config = { ...DEFAULT_PATH_CONFIG, rtspGOPCache: true };
		camera.video(36_000, nal(1));
		expect(stream.reading().position(0)).toMatchObject({ sequence: 13 });
		camera.key(39_600);
		expect(stream.reading().position(0)).toMatchObject({ sequence: 13, rtpTime: 39_600 });
		camera.video(43_200, nal(1));
		expect(stream.reading().position(0)).toMatchObject({ sequence: 13, rtpTime: 39_600 });
	});
});
