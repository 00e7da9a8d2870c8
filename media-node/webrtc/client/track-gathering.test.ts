import { expect, it } from "vitest";
import { rtpPacket } from "../../../test/support/rtp-stream.ts";
import { NO_EXTENSIONS } from "../sdp/header-extensions.ts";
import type { PublishedMedia } from "../sdp/negotiate-publish.ts";
import { MAX_KEPT_PACKETS, TrackGathering } from "./track-gathering.ts";

function choice(kind: "video" | "audio", payloadType: number): PublishedMedia {
	return {
		mid: kind,
		track: { kind, codec: { name: "Generic" }, clockRate: 90_000, rtp: { payloadType, encoding: "", fmtp: "" } },
		...{ rtxPayloadType: null, hasNack: false, keyFrameRequest: null, ssrcs: [], rids: [], extensions: NO_EXTENSIONS },
	};
}

const packet = (payloadType: number, sequence = 1) =>
	rtpPacket({ payloadType, sequence, timestamp: 0, payload: Uint8Array.of(1) });

it("chooses the format that is heard, and is complete when something came of all media", async () => {
	const gathering = new TrackGathering([[choice("video", 96), choice("video", 98)], [choice("audio", 111)]]);
	let isComplete = false;
	void gathering.complete.then(() => {
		isComplete = true;
	});
	gathering.rtp(packet(98));
	gathering.rtp(packet(96));
	gathering.rtp(packet(50));
	gathering.rtp(Uint8Array.of(1, 2, 3));
	await Promise.resolve();
	expect(isComplete).toBe(false);
	expect(gathering.tracks.map(({ track }) => track.rtp.payloadType)).toEqual([98]);
	gathering.rtp(packet(111));
	await gathering.complete;
	expect(gathering.tracks.map(({ track }) => track.rtp.payloadType)).toEqual([98, 111]);
});

it("keeps copies of so many packets, and gives them away once", () => {
	const gathering = new TrackGathering([[choice("audio", 111)]]);
	const bytes = packet(111);
	gathering.rtp(bytes);
	bytes.fill(0);
	for (let i = 0; i < MAX_KEPT_PACKETS + 5; i++) gathering.rtp(packet(111, i));
	const kept: Uint8Array[] = [];
	gathering.replay((one) => kept.push(one));
	expect(kept.length).toBe(MAX_KEPT_PACKETS);
	expect(kept[0]).toEqual(packet(111));
	gathering.replay((one) => kept.push(one));
	expect(kept.length).toBe(MAX_KEPT_PACKETS);
});
