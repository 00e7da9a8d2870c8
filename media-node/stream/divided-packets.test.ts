import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import {
	H264_SPS,
	H264_TRACK,
	nal,
	RecordingPacketSink,
	RecordingUnitSink,
	recordingLogger,
	rtpPacket,
} from "../../test/support/rtp-stream.ts";
import { Stream } from "./stream.ts";

function streamOf(maxPacketBytes: number) {
	const stream = new Stream({
		path: parsePathName("cam"),
		config: DEFAULT_PATH_CONFIG,
		clock: new FakeClock(),
		log: recordingLogger(),
		maxPacketBytes,
	});
	const track = { ...H264_TRACK, rtp: { ...H264_TRACK.rtp, fmtp: "packetization-mode=0; profile-level-id=42c01e" } };
	const publisher = { id: "p", protocol: "rtsp", remoteAddress: "" };
	const request = { path: stream.path, tracks: [track], publisher, onEvicted: () => undefined };
	const publication = stream.publish(request, () => undefined);
	const write = (sequence: number, timestamp: number, payload: Uint8Array, marker: boolean) => {
		const bytes = rtpPacket({ sequence, timestamp, payload, marker });
		publication.writePacket(0, bytes, 0, bytes.length);
		publication.flush();
	};
	return { stream, write };
}

describe("packets of a publisher that are too large for a datagram", () => {
	it("reach readers in smaller ones, numbered on, and packagers as the frames that they were", () => {
		const { stream, write } = streamOf(1200);
		const [packets, units] = [new RecordingPacketSink(), new RecordingUnitSink()];
		stream.readPackets(packets);
		stream.readUnits(units);
		const [key, delta] = [nal(5, 3000), nal(1, 2000)];
		write(10, 0, H264_SPS, false);
		write(11, 0, key, true);
		write(12, 3000, delta, true);
		write(13, 6000, nal(1, 100), true);
		const numbers = packets.packets.map(({ sequence }) => sequence);
		expect(numbers).toEqual([10, 11, 12, 13, 14, 15, 16]);
		expect(packets.packets.map(({ marker }) => marker)).toEqual([false, false, false, true, false, true, true]);
		expect(Math.max(...packets.packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1188);
		// One batch begins with the key frame, and nowhere within it.
		expect(packets.batches.filter(({ randomAccess }) => randomAccess)).toHaveLength(1);
		expect(units.units.map(({ frames }) => frames.at(-1))).toEqual([key, delta, nal(1, 100)]);
	});

	it("leave the holes of lost packets where they are", () => {
		const { stream, write } = streamOf(1200);
		const packets = new RecordingPacketSink();
		stream.readPackets(packets);
		write(10, 0, nal(5, 3000), true);
		write(12, 3000, nal(1, 2000), true);
		expect(packets.packets.map(({ sequence }) => sequence)).toEqual([10, 11, 12, 14, 15]);
	});

	it("are announced as fragments: packetization mode 1", () => {
		const { stream } = streamOf(1200);
		expect(stream.tracks[0]?.rtp.fmtp).toBe("packetization-mode=1; profile-level-id=42c01e");
	});
});
