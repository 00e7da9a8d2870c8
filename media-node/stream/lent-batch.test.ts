import { expect, it } from "vitest";
import { Packaging } from "../../test/support/packaging.ts";
import {
	H264_PPS,
	H264_SPS,
	H264_TRACK,
	nal,
	RecordingUnitSink,
	recordingLogger,
	rtpPacket,
} from "../../test/support/rtp-stream.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { BatchBuilder } from "./batch-builder.ts";
import type { UnitSink } from "./sink.ts";
import { SinkList } from "./sink-list.ts";
import { ToUnits } from "./to-units.ts";
import { UnitFeed } from "./unit-feed.ts";

const PICTURES = 130;
const FRAGMENT_BYTES = 100;
const log = recordingLogger();

/** The payloads of a picture: single NAL units, and one in FU-A fragments (RFC 6184 §5.8). */
function payloadsOf(index: number): Uint8Array[] {
	const type = index % 30 === 0 ? 5 : 1;
	const slice = nal(type, 460, index);
	const fragments: Uint8Array[] = [];
	for (let at = 1; at < slice.length; at += FRAGMENT_BYTES) {
		const part = slice.subarray(at, at + FRAGMENT_BYTES);
		const marks = (at === 1 ? 0x80 : 0) | (at + FRAGMENT_BYTES >= slice.length ? 0x40 : 0);
		fragments.push(Uint8Array.of(0x7c, marks | type, ...part));
	}
	return type === 5 ? [H264_SPS, H264_PPS, nal(5, 60, index), ...fragments] : [nal(1, 60, index), ...fragments];
}

/** Publishes so many packets a batch, and overwrites the bytes of each batch that came, if they are only lent. */
function publish(isKept: boolean, batchPackets: number, ...sinks: UnitSink[]): void {
	const list = new SinkList<UnitSink>(log);
	for (const sink of sinks) list.add(sink);
	const feed = new UnitFeed([H264_TRACK], list, () => undefined);
	feed.begin();
	const toUnits = new ToUnits(feed, [null], false);
	const builder = new BatchBuilder(
		[H264_TRACK],
		(batch) => {
			toUnits.push(batch);
			if (!isKept) batch.bytes.fill(0xee);
		},
		() => isKept,
	);
	let sequence = 0;
	for (let index = 0; index < PICTURES; index++) {
		const payloads = payloadsOf(index);
		payloads.forEach((payload, i) => {
			const fields = { sequence: sequence++, timestamp: index * 3000, payload, marker: i === payloads.length - 1 };
			const bytes = rtpPacket(fields);
			const packet = newRtpPacket();
			readRtpPacket(packet, bytes, 0, bytes.length);
			builder.addPacket(0, bytes, 0, bytes.length, packet, Math.round(index * 33.3));
			if (sequence % batchPackets === 0) builder.flush();
		});
	}
	builder.flush();
}

it.each([1, 2, 3, 5, 7, 64])("gives the same units and segments of %i packets in a batch that is only lent", (size) => {
	const [kept, lent] = [new RecordingUnitSink(), new RecordingUnitSink()];
	const [whole, scribbled] = [new Packaging(), new Packaging()];
	publish(true, size, kept, whole.packager);
	publish(false, size, lent, scribbled.packager);
	expect(kept.units).toHaveLength(PICTURES);
	expect(kept.units[30]?.frames[2]).toEqual(nal(5, 60, 30));
	expect(lent.units).toEqual(kept.units);
	expect(whole.segments).toHaveLength(2);
	expect(scribbled.segments.map(({ parts }) => parts)).toEqual(whole.segments.map(({ parts }) => parts));
});
