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
	RecordingUnitSink,
	recordingLogger,
	rtpPacket,
} from "../../test/support/rtp-stream.ts";
import { FIRST_PTS_MS } from "../rtp/clock-map.ts";
import type { Publication, PublishRequest } from "./publication.ts";
import { Stream } from "./stream.ts";
import type { Track } from "./track.ts";

const OTHER_SPS = Uint8Array.from(Buffer.from("6742c01ed901e0089f970110000003001000000303c0f162e480", "hex"));

function streamOf() {
	const clock = new FakeClock();
	const log = recordingLogger();
	const stream = new Stream({ path: parsePathName("cam01"), config: DEFAULT_PATH_CONFIG, clock, log });
	const evicted: string[] = [];
	const keyFrames: number[] = [];
	let publishers = 0;
	const publish = (tracks: readonly Omit<Track, "index">[] = [H264_TRACK, AAC_TRACK]): Publication => {
		const id = `p${++publishers}`;
		const request: PublishRequest = {
			path: stream.path,
			tracks,
			publisher: { id, protocol: "rtsp", remoteAddress: "127.0.0.1:5000" },
			onEvicted: (reason) => evicted.push(`${id} ${reason.code}`),
			onKeyFrameNeeded: (track) => keyFrames.push(track),
		};
		return stream.publish(request, () => undefined);
	};
	return { clock, log, stream, evicted, keyFrames, publish };
}

describe("readers of packets", () => {
	it("all get the same batch object", () => {
		const { stream, publish } = streamOf();
		const [a, b] = [new RecordingPacketSink(), new RecordingPacketSink()];
		const publication = publish();
		stream.readPackets(a);
		stream.readPackets(b);
		new Camera(publication).key(0);
		expect(a.batches).toHaveLength(1);
		expect(a.batches[0]).toBe(b.batches[0]);
		expect(a.packets.map((packet) => packet.payload)).toEqual([H264_SPS, H264_PPS, nal(5, 30, 1)]);
	});

	it("may come and go at any time, and see where the next packet will be", () => {
		const { stream, publish, clock } = streamOf();
		const camera = new Camera(publish(), { sequence: 65_534 });
		expect(stream.position(0)).toBeNull();
		camera.key(1000);
		const sink = new RecordingPacketSink();
		expect(stream.position(0)).toMatchObject({ sequence: 32_769, rtpTime: 1000 });
		expect(stream.position(7)).toBeNull();
		const seat = stream.readPackets(sink);
		camera.video(4000, nal(1));
		seat[Symbol.dispose]();
		camera.video(7000, nal(1));
		expect(sink.packets.map(({ sequence, timestamp }) => [sequence, timestamp])).toEqual([[32_769, 4000]]);
		expect(sink.packets[0]?.ssrc).toBe(stream.position(0)?.ssrc);
		expect(clock.pending).toBe(0);
	});

	it("let the publisher be asked for a key frame when they come, as packagers do", () => {
		const { stream, publish, keyFrames } = streamOf();
		publish([AAC_TRACK, H264_TRACK]);
		expect(keyFrames).toEqual([]);
		stream.readPackets(new RecordingPacketSink());
		expect(keyFrames).toEqual([1]);
		stream.readUnits(new RecordingUnitSink());
		expect(keyFrames).toEqual([1, 1]);
	});

	it("stay when a publisher with the same formats returns, under the payload type that they know", async () => {
		const { stream, publish, clock } = streamOf();
		const sink = new RecordingPacketSink();
		const first = publish();
		stream.readPackets(sink);
		new Camera(first, { sequence: 10 }).key(90_000);
		first.close();
		await clock.advance(2000);
		const rtp = { ...H264_TRACK.rtp, payloadType: 111 };
		const second = publish([{ ...H264_TRACK, rtp }, AAC_TRACK]);
		const camera = new Camera(second, { sequence: 5000, ssrc: 99 });
		camera.packet(0, rtpPacket({ sequence: 5000, timestamp: 7, payload: nal(5), payloadType: 111, ssrc: 99 }));
		second.flush();
		expect(sink.ended).toEqual([]);
		expect(stream.tracks[0]?.rtp.payloadType).toBe(96);
		const [before, after] = sink.packets.slice(-2);
		expect(after).toMatchObject({ sequence: 13, timestamp: 90_000 + 180_000, payloadType: 96, ssrc: before?.ssrc });
	});

	it("are ended when a publisher with other formats returns, and so are those that only asked for the tracks", () => {
		const { stream, publish } = streamOf();
		const sink = new RecordingPacketSink();
		const first = publish();
		stream.readPackets(sink);
		const asked = stream.reading();
		first.close();
		publish([AAC_TRACK]);
		expect(sink.ended.map(({ code }) => code)).toEqual(["stream.ended"]);
		expect(() => asked.readPackets(sink)).toThrow(expect.objectContaining({ code: "stream.ended" }));
		expect(stream.reading().tracks).toEqual([{ ...AAC_TRACK, index: 0 }]);
	});

	it("get sender reports in the time of the stream, also one that came before the first packet", () => {
		const { stream, publish, clock } = streamOf();
		const sink = new RecordingPacketSink();
		const publication = publish();
		stream.readPackets(sink);
		publication.writeSenderReport(0, { wallclockMs: 1000, rtpTime: 500 });
		publication.writeSenderReport(9, { wallclockMs: 1000, rtpTime: 500 });
		expect(sink.reports).toEqual([]);
		new Camera(publication).key(500);
		expect(sink.reports).toEqual([
			{
				track: 0,
				report: { wallclockMs: clock.now(), rtpTime: 500, ssrc: sink.packets[0]?.ssrc, packets: 3, octets: 60 },
			},
		]);
	});

	it("are refused beyond the number that the path allows", () => {
		const { stream, publish } = streamOf();
		publish();
		stream.config = { ...DEFAULT_PATH_CONFIG, maxReaders: 1 };
		const seat = stream.readPackets(new RecordingPacketSink());
		expect(() => stream.readPackets(new RecordingPacketSink())).toThrow(
			expect.objectContaining({ code: "path.readers" }),
		);
		seat[Symbol.dispose]();
		stream.readPackets(new RecordingPacketSink());
	});

	it("go on when another one throws", () => {
		const { stream, publish, log } = streamOf();
		const publication = publish();
		const broken = new RecordingPacketSink();
		broken.push = () => {
			throw new Error("broken");
		};
		const sink = new RecordingPacketSink();
		stream.readPackets(broken);
		stream.readPackets(sink);
		new Camera(publication).key(0);
		expect(sink.batches).toHaveLength(1);
		expect(broken.ended.map(({ code }) => code)).toEqual(["session.closed"]);
		expect(log.lines[0]).toMatchObject({ level: "error" });
		expect(stream.snapshot.readers).toHaveLength(1);
	});
});

describe("malformed packets", () => {
	it.each([
		["too short", 0, new Uint8Array(11)],
		["of another version", 0, new Uint8Array(40)],
		["of another payload type", 0, rtpPacket({ sequence: 1, timestamp: 0, payload: nal(5), payloadType: 97 })],
		["of a track that is not there", 5, rtpPacket({ sequence: 1, timestamp: 0, payload: nal(5) })],
		["of a negative track", -1, rtpPacket({ sequence: 1, timestamp: 0, payload: nal(5) })],
		["longer than a length can say", 0, rtpPacket({ sequence: 1, timestamp: 0, payload: new Uint8Array(65_600) })],
	])("%s are counted and left out", (_, track, bytes) => {
		const { stream, publish, log } = streamOf();
		const sink = new RecordingPacketSink();
		const publication = publish();
		stream.readPackets(sink);
		publication.writePacket(track, bytes, 0, bytes.length);
		publication.flush();
		expect(sink.batches).toEqual([]);
		expect(stream.snapshot).toMatchObject({ packetErrors: 1, packetsReceived: 0, bytesReceived: 0 });
		publication.close();
		expect(log.lines).toMatchObject([{ level: "warn", fields: { packetErrors: 1 } }]);
	});

	it("whose length goes beyond the buffer are left out", () => {
		const { stream, publish } = streamOf();
		const bytes = rtpPacket({ sequence: 1, timestamp: 0, payload: nal(5) });
		const publication = publish();
		publication.writePacket(0, bytes, 5, bytes.length);
		publication.writePacket(0, bytes, -1, bytes.length);
		expect(stream.snapshot.packetErrors).toBe(2);
	});
});

describe("readers of units", () => {
	it("get access units with times on one line, from the first key frame on; audio at once", async () => {
		const { stream, publish, clock } = streamOf();
		const sink = new RecordingUnitSink();
		const camera = new Camera(publish());
		stream.readUnits(sink);
		expect(sink.begun).toEqual([[H264_TRACK, AAC_TRACK]]);
		camera.video(0, nal(1));
		camera.audio(1, 480_000);
		await clock.advance(100);
		camera.key(9000);
		camera.video(12_000, nal(1, 40, 2));
		const zero = FIRST_PTS_MS / 1000;
		expect(sink.units.map(({ track, pts, dts, randomAccess }) => [track.index, pts, dts, randomAccess])).toEqual([
			[1, zero * 48_000, zero * 48_000, true],
			[0, zero * 90_000 + 9000, zero * 90_000 + 9000, true],
			[0, zero * 90_000 + 12_000, zero * 90_000 + 12_000, false],
		]);
		expect(sink.units[1]?.frames).toEqual([H264_SPS, H264_PPS, nal(5, 30, 1)]);
		expect(sink.units[1]?.wallclockMs).toBe(clock.now());
	});

	it("that come later wait for a key frame of their own", () => {
		const { stream, publish } = streamOf();
		const [early, late] = [new RecordingUnitSink(), new RecordingUnitSink()];
		const camera = new Camera(publish());
		stream.readUnits(early);
		camera.key(0);
		stream.readUnits(late);
		camera.video(3000, nal(1));
		expect(late.calls).toEqual(["begin"]);
		camera.key(6000);
		expect(late.calls).toEqual(["begin", "unit"]);
		expect(early.units).toHaveLength(3);
		expect(late.units[0]?.pts).toBe(early.units[2]?.pts);
	});

	it("learn of new parameter sets, and so do those who ask for the tracks", () => {
		const { stream, publish } = streamOf();
		const sink = new RecordingUnitSink();
		const camera = new Camera(publish());
		stream.readUnits(sink);
		camera.key(0);
		camera.key(3000);
		camera.video(6000, OTHER_SPS, H264_PPS, nal(5));
		expect(sink.units[0]?.track).toBe(sink.units[1]?.track);
		expect(sink.units.map(({ track }) => "sps" in track.codec && track.codec.sps)).toEqual([
			H264_SPS,
			H264_SPS,
			OTHER_SPS,
		]);
		expect(stream.tracks[0]?.codec).toEqual({ name: "H264", sps: OTHER_SPS, pps: H264_PPS });
		const sets = `${Buffer.from(OTHER_SPS).toString("base64")},${Buffer.from(H264_PPS).toString("base64")}`;
		expect(stream.tracks[0]?.rtp.fmtp).toBe(
			`packetization-mode=1; sprop-parameter-sets=${sets}; profile-level-id=42C01E`,
		);
		expect(sink.begun).toHaveLength(1);
	});

	it("are paused when the publisher leaves, and begin again with the next one's tracks, whatever they are", () => {
		const { stream, publish } = streamOf();
		const sink = new RecordingUnitSink();
		const first = publish();
		stream.readUnits(sink);
		new Camera(first).key(0);
		first.close();
		first.close();
		new Camera(first).key(3000);
		const second = publish([{ ...AAC_TRACK }]);
		expect(sink.calls).toEqual(["begin", "unit", "pause", "begin"]);
		expect(sink.begun[1]).toEqual([{ ...AAC_TRACK, index: 0 }]);
		stream.end(new GoneError("stream.ended", "over"));
		expect(sink.calls).toEqual(["begin", "unit", "pause", "begin", "pause", "end"]);
		second.flush();
	});

	it("see no time go back when the time stamps of the source leap by hours", async () => {
		const { stream, publish, clock } = streamOf();
		const sink = new RecordingUnitSink();
		const camera = new Camera(publish());
		stream.readUnits(sink);
		const steps = [0, 3000, 6000, 6000 + 3600 * 90_000, 9000 + 3600 * 90_000, 0, 3000, 2 ** 31, 2 ** 32 - 1, 5];
		for (const timestamp of steps) {
			camera.key(timestamp);
			await clock.advance(33);
		}
		expect(sink.units).toHaveLength(steps.length);
		sink.units.forEach((unit, i) => {
			const before = sink.units[i - 1];
			if (before === undefined) return;
			expect(unit.dts).toBeGreaterThan(before.dts);
			expect(unit.pts).toBeGreaterThanOrEqual(unit.dts);
			expect(unit.dts - before.dts).toBeLessThan(90_000);
		});
	});

	it("cost nothing while there are none", () => {
		const { stream, publish } = streamOf();
		const sink = new RecordingUnitSink();
		const camera = new Camera(publish());
		const seat = stream.readUnits(sink);
		camera.key(0);
		camera.video(3000, nal(1));
		seat[Symbol.dispose]();
		camera.key(6000);
		stream.readUnits(sink);
		// A depacketizer that had gone on would know this to be the next packet of its stream.
		camera.video(9000, nal(1));
		expect(sink.units).toHaveLength(2);
		camera.key(12_000);
		expect(sink.units).toHaveLength(3);
		expect(stream.snapshot).toMatchObject({ packetsReceived: 11, unitsDropped: 0 });
	});
});

describe("a publisher of units", () => {
	const unit = (pts: number, randomAccess: boolean, dts = pts) => ({
		pts,
		dts,
		wallclockMs: 1,
		randomAccess,
		frames: randomAccess ? [H264_SPS, H264_PPS, nal(5, 3000)] : [nal(1, 100)],
	});

	it("reaches readers of units as it is, and readers of packets in packets", () => {
		const { stream, publish } = streamOf();
		const [units, packets] = [new RecordingUnitSink(), new RecordingPacketSink()];
		const publication = publish();
		stream.readUnits(units);
		publication.writeUnit(0, unit(0, true));
		stream.readPackets(packets);
		publication.writeUnit(0, unit(3000, true));
		publication.flush();
		publication.writeUnit(0, unit(6000, false));
		publication.flush();
		expect(units.units.map(({ pts }) => pts)).toEqual([0, 3000, 6000]);
		expect(stream.tracks[0]?.codec).toMatchObject({ sps: H264_SPS, pps: H264_PPS });
		expect(packets.batches.map(({ randomAccess }) => randomAccess)).toEqual([true, false]);
		expect(packets.packets.at(-1)).toMatchObject({
			timestamp: 6000,
			marker: true,
			payload: nal(1, 100),
			payloadType: 96,
		});
		const sequences = packets.packets.map(({ sequence }) => sequence);
		expect(sequences).toEqual(sequences.map((_, i) => i));
	});

	it("makes a break when its time leaps, at most one a second, and no negative durations", async () => {
		const { stream, publish, clock } = streamOf();
		const sink = new RecordingUnitSink();
		const publication = publish();
		stream.readUnits(sink);
		for (const pts of [0, 3000, 3600 * 90_000, 3600 * 90_000 + 3000, 0, Number.NaN, 3600 * 90_000 + 3000]) {
			publication.writeUnit(0, unit(pts, true));
			publication.flush();
		}
		await clock.advance(1000);
		publication.writeUnit(0, unit(0, true));
		expect(sink.calls.join(" ")).toBe("begin unit unit begin unit unit unit begin unit");
		expect(sink.units.map(({ dts }) => dts)).toEqual([0, 3000, 324_000_000, 324_003_000, 324_003_001, 0]);
		expect(stream.snapshot.unitsDropped).toBe(2);
	});
});

describe("a publisher", () => {
	it("that was thrown out is told once, and nothing of what it writes arrives", () => {
		const { stream, publish, evicted } = streamOf();
		const sink = new RecordingPacketSink();
		const publication = publish();
		stream.readPackets(sink);
		stream.evict(new GoneError("session.closed", "out"));
		stream.evict(new GoneError("session.closed", "out"));
		new Camera(publication).key(0);
		publication.writeUnit(0, { pts: 0, dts: 0, wallclockMs: 0, randomAccess: true, frames: [] });
		publication.writeSenderReport(0, { wallclockMs: 1, rtpTime: 1 });
		publication.close();
		expect(evicted).toEqual(["p1 session.closed"]);
		expect(sink.batches).toEqual([]);
		expect(stream.publisher).toBeNull();
	});

	it("leaves its last packets behind when it closes without a flush", () => {
		const { stream, publish } = streamOf();
		const sink = new RecordingPacketSink();
		const publication = publish();
		stream.readPackets(sink);
		new Camera(publication).packet(0, rtpPacket({ sequence: 1, timestamp: 0, payload: nal(5) }));
		publication.close();
		expect(sink.packets).toHaveLength(1);
	});

	it("is counted over all that publish to a stream", () => {
		const { stream, publish } = streamOf();
		for (let i = 0; i < 3; i++) {
			const publication = publish();
			new Camera(publication).video(0, nal(1, 88));
			publication.close();
		}
		expect(stream.snapshot).toMatchObject({ packetsReceived: 3, bytesReceived: 300, ready: false, publisher: null });
	});
});

describe("a stream that has ended", () => {
	it("has told each reader once, and takes no more", () => {
		const { stream, publish } = streamOf();
		publish();
		const [packets, units] = [new RecordingPacketSink(), new RecordingUnitSink()];
		stream.readPackets(packets);
		stream.readUnits(units);
		stream.end(new GoneError("stream.ended", "over"));
		stream.end(new GoneError("stream.ended", "over"));
		expect(packets.ended).toHaveLength(1);
		expect(units.ended).toHaveLength(1);
		expect(() => stream.readPackets(packets)).toThrow(expect.objectContaining({ code: "stream.ended" }));
		expect(() => stream.readUnits(units)).toThrow(expect.objectContaining({ code: "stream.ended" }));
	});
});
