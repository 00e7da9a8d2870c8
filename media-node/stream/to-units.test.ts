import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { ffmpegPackets } from "../../test/support/ffmpeg-rtp.ts";
import { sample } from "../../test/support/media.ts";
import { unitsOf } from "../../test/support/packetize.ts";
import {
	AAC_TRACK,
	Camera,
	H264_TRACK,
	nal,
	RecordingPacketSink,
	RecordingUnitSink,
	recordingLogger,
} from "../../test/support/rtp-stream.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Depacketizer } from "../rtp/access-unit.ts";
import { createDepacketizer } from "../rtp/depacketizer.ts";
import { describeCodec } from "../rtp/format.ts";
import { Stream } from "./stream.ts";
import type { Track } from "./track.ts";

function streamOf(useAbsoluteTimestamp = false) {
	const clock = new FakeClock();
	const config = { ...DEFAULT_PATH_CONFIG, useAbsoluteTimestamp };
	const stream = new Stream({ path: parsePathName("cam01"), config, clock, log: recordingLogger() });
	const publish = (tracks: readonly Track[]) => {
		const publisher = { id: "p", protocol: "rtsp", remoteAddress: "127.0.0.1:5000" };
		const request = { path: stream.path, tracks, publisher, onEvicted: () => undefined };
		return stream.publish(request, () => undefined);
	};
	return { clock, stream, publish };
}

const WITH_B_PICTURES: readonly (readonly [name: string, codec: Codec, encoder: string, bPictures: string])[] = [
	["MPEG-4 Video", { name: "MPEG-4 Video", config: null }, "mpeg4", "2"],
	["MPEG-2 Video", { name: "MPEG-1/2 Video" }, "mpeg2video", "2"],
	["MPEG-1 Video", { name: "MPEG-1/2 Video" }, "mpeg1video", "1"],
];

describe("pictures that are decoded before they are presented", () => {
	it.each(WITH_B_PICTURES)("of %s by ffmpeg get its own times", async (_, codec, encoder, bPictures) => {
		const video = [encoder, "-b:v", "500k", "-g", "12", "-bf", bPictures];
		const file = await sample({ seconds: 2, rate: "25", size: "160x120", audio: null, video, extension: "ts" });
		const expected = await probePackets(file, "v:0");
		const description = describeCodec(codec, 90_000);
		const depacketizer = () => createDepacketizer(codec, { encoding: "", fmtp: "" }) as Depacketizer;
		const packets = await ffmpegPackets(file, (all) => unitsOf(depacketizer(), all).length >= expected.length - 1);

		const { stream, publish } = streamOf();
		const sink = new RecordingUnitSink();
		stream.readUnits(sink);
		const rtp = { encoding: "", fmtp: "", ...description, payloadType: (packets[0]?.[1] ?? 0) & 0x7f };
		const publication = publish([{ index: 0, kind: "video", codec, clockRate: 90_000, rtp }]);
		for (const packet of packets) publication.writePacket(0, packet, 0, packet.length);
		publication.flush();

		const { units } = sink;
		expect(units.length).toBeGreaterThanOrEqual(expected.length - 1);
		const first = { ours: units[0]?.pts ?? 0, theirs: expected[0]?.pts ?? 0 };
		expect(units.map(({ pts }) => pts - first.ours)).toEqual(
			expected.slice(0, units.length).map(({ pts }) => pts - first.theirs),
		);
		// The first decoding time is a guess: nothing tells the frame rate yet.
		expect(units.slice(1).map(({ dts }) => dts - first.ours)).toEqual(
			expected.slice(1, units.length).map(({ dts }) => dts - first.theirs),
		);
		expect(units.some(({ pts, dts }) => pts > dts)).toBe(true);
		expect(stream.snapshot.unitsDropped).toBe(0);
		if (codec.name !== "MPEG-4 Video") return;

		const track = stream.tracks[0];
		const config = track?.codec.name === "MPEG-4 Video" ? track.codec.config : null;
		// visual_object_sequence_start_code or the video object's, ISO 14496-2 table 6-3.
		expect([...(config ?? [])].slice(0, 3)).toEqual([0, 0, 1]);
		expect(track?.rtp.fmtp.toLowerCase()).toContain(`config=${Buffer.from(config ?? []).toString("hex")}`);
		expect(sink.units[0]?.track.codec).toEqual({ name: "MPEG-4 Video", config });
	});
});

/** The publisher's clock, far from ours. */
const THEIRS = Date.UTC(2001, 1, 3);

describe("wall-clock time, by the clock here", () => {
	it("is of arrival, and reports are moved to it, all tracks by the same", async () => {
		const { clock, stream, publish } = streamOf();
		const [units, packets] = [new RecordingUnitSink(), new RecordingPacketSink()];
		stream.readUnits(units);
		const publication = publish([H264_TRACK, AAC_TRACK]);
		stream.readPackets(packets);
		const start = clock.now();
		const camera = new Camera(publication);
		camera.key(0);
		camera.audio(0, 0);
		publication.writeSenderReport(0, { wallclockMs: THEIRS, rtpTime: 0 });
		await clock.advance(200);
		publication.writeSenderReport(1, { wallclockMs: THEIRS + 150, rtpTime: 9600 });
		camera.key(18_000);
		camera.audio(1, 9600);
		expect(packets.reports.map(({ track, report }) => [track, report.wallclockMs - start, report.rtpTime])).toEqual([
			[0, 0, 0],
			[1, 150, 9600],
		]);
		// The sound was presented 50 ms too late for the reports.
		expect(units.units.map(({ wallclockMs }) => wallclockMs - start)).toEqual([0, 0, 250, 200]);
		expect(units.calls.filter((call) => call === "begin")).toHaveLength(1);
	});
});

describe("wall-clock time, by the clock of the publisher", () => {
	it("is its own as soon as it tells, for readers of packets and of units, which begin anew there", async () => {
		const { clock, stream, publish } = streamOf(true);
		const [units, packets] = [new RecordingUnitSink(), new RecordingPacketSink()];
		stream.readUnits(units);
		const publication = publish([H264_TRACK, AAC_TRACK]);
		stream.readPackets(packets);
		const start = clock.now();
		const camera = new Camera(publication);
		camera.key(0);
		camera.audio(0, 0);
		await clock.advance(40);
		publication.writeSenderReport(0, { wallclockMs: THEIRS + 1000, rtpTime: 90_000 });
		camera.video(3600, nal(1));
		camera.audio(1, 1920);
		await clock.advance(40);
		camera.key(7200);
		camera.video(10_800, nal(1));
		publication.writeSenderReport(1, { wallclockMs: THEIRS + 5, rtpTime: 0 });
		camera.audio(2, 3840);

		expect(packets.reports.map(({ report }) => report.wallclockMs)).toEqual([THEIRS + 1000, THEIRS + 5]);
		expect(units.units.map(({ track, wallclockMs }) => [track.index, wallclockMs])).toEqual([
			[0, start],
			[1, start],
			[0, THEIRS + 40],
			[1, start + 40],
			[0, THEIRS + 80],
			[0, THEIRS + 120],
			[1, THEIRS + 85],
		]);
		expect(units.calls.join(" ")).toBe("begin unit unit unit unit begin unit unit unit");
		const [before, after] = units.units.filter(({ track, randomAccess }) => track.index === 0 && randomAccess);
		expect((after?.pts ?? 0) - (before?.pts ?? 0)).toBe(7200);
	});

	it("is its own from the first unit on for a reader that comes later", async () => {
		const { clock, stream, publish } = streamOf(true);
		const publication = publish([H264_TRACK, AAC_TRACK]);
		stream.readPackets(new RecordingPacketSink());
		const camera = new Camera(publication);
		camera.key(0);
		publication.writeSenderReport(0, { wallclockMs: THEIRS, rtpTime: 0 });
		await clock.advance(1000);
		const units = new RecordingUnitSink();
		stream.readUnits(units);
		camera.key(90_000);
		camera.video(93_600, nal(1));
		expect(units.units.map(({ wallclockMs }) => wallclockMs)).toEqual([THEIRS + 1000, THEIRS + 1040]);
		expect(units.calls).toEqual(["begin", "unit", "unit"]);
	});
});
