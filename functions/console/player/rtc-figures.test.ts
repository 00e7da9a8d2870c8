import { expect, test } from "vitest";
import { rtcFigures } from "./rtc-figures.ts";

const VIDEO = {
	id: "v",
	type: "inbound-rtp",
	kind: "video",
	codecId: "cv",
	timestamp: 1000,
	bytesReceived: 100_000,
	packetsReceived: 100,
	packetsLost: 0,
	framesDecoded: 25,
	framesPerSecond: 25,
	frameWidth: 640,
	frameHeight: 360,
	jitterBufferDelay: 1,
	jitterBufferEmittedCount: 25,
	freezeCount: 0,
};
const AUDIO = { id: "a", type: "inbound-rtp", kind: "audio", codecId: "ca", timestamp: 1000, bytesReceived: 10_000 };
const REST = [
	{ id: "cv", type: "codec", timestamp: 0, mimeType: "video/H264" },
	{ id: "ca", type: "codec", timestamp: 0, mimeType: "audio/opus" },
	{ id: "p1", type: "candidate-pair", timestamp: 0, nominated: false, currentRoundTripTime: 9 },
	{ id: "p2", type: "candidate-pair", timestamp: 0, nominated: true, currentRoundTripTime: 0.04 },
];

test("rates and losses are of the time between two reports", () => {
	const before = [AUDIO, VIDEO, ...REST];
	const later = {
		...VIDEO,
		timestamp: 3000,
		bytesReceived: 600_000,
		packetsReceived: 190,
		packetsLost: 10,
		framesDecoded: 75,
		jitterBufferDelay: 6,
		jitterBufferEmittedCount: 75,
		freezeCount: 1,
	};
	const figures = rtcFigures([{ ...AUDIO, timestamp: 3000, bytesReceived: 35_000 }, later, ...REST], before);
	expect(figures).toEqual({
		bitsPerSecond: 2_100_000,
		roundTripMs: 40,
		delayMs: 120,
		loss: 0.1,
		frames: 75,
		framesPerSecond: 25,
		size: "640×360",
		freezes: 1,
		codecs: ["H264", "opus"],
	});
});

test("the first report has no rates yet", () => {
	const figures = rtcFigures([VIDEO, ...REST], []);
	expect(figures.bitsPerSecond).toBe(0);
	expect(figures.delayMs).toBe(60);
});

test("nothing at all is no failure", () => {
	expect(rtcFigures([], [])).toMatchObject({ bitsPerSecond: 0, roundTripMs: null, delayMs: null, loss: 0, codecs: [] });
});
