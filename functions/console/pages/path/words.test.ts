import { describe, expect, test } from "vitest";
import type { StreamEvent } from "#shared/events/event.ts";
import { STREAM_EVENT_TYPES } from "#shared/events/event-type.ts";
import { WARNING_CODES } from "#shared/nodes/node-streams.ts";
import { eventSentence, spokenDuration } from "./event-sentence.ts";
import { warningTitle } from "./warning-title.ts";

const STREAM = { path: "cam", streamId: "s", node: "node-1" };
const BASE = { id: "evt_00000000", timestamp: "2026-01-02T03:04:05Z", sequence: 1 };

describe("eventSentence", () => {
	test("says how a stream began, with its tracks", () => {
		const tracks = [
			{ kind: "video", codec: "H264" },
			{ kind: "audio", codec: "AAC" },
			{ kind: "data", codec: "KLV" },
		];
		const event: StreamEvent = { ...BASE, type: "stream.online", data: { ...STREAM, protocol: "rtsp", tracks } };
		expect(eventSentence(event)).toEqual({
			state: "good",
			text: "The stream began on node-1 over RTSP with video in H264, audio in AAC and data in KLV",
		});
	});

	test("says why and after which time it ended", () => {
		const data = { ...STREAM, reason: "the publisher left", durationMs: 3_725_000 };
		const event: StreamEvent = { ...BASE, type: "stream.offline", data };
		expect(eventSentence(event).text).toBe("The stream ended after 1 h 2 min: the publisher left");
		expect(eventSentence({ ...event, data: { ...data, reason: "" } }).text).toBe("The stream ended after 1 h 2 min");
	});

	test("shows an unknown type as it is", () => {
		expect(eventSentence({ type: "stream.renamed", data: {} })).toEqual({ state: "idle", text: "stream.renamed" });
	});

	test.each(STREAM_EVENT_TYPES)("has words of its own for %s", (type) => {
		const reader = { id: "1", type: "webrtc", remoteAddress: "192.0.2.1" };
		const said = { protocol: "rtsp", tracks: [], reason: "r", durationMs: 1, code: "c", message: "m", reader };
		const data = { ...STREAM, ...said, remoteAddress: "" };
		expect(eventSentence({ ...BASE, type, data }).text).not.toContain(type);
	});
});

test.each([
	[0, "0 s"],
	[59_400, "59 s"],
	[60_000, "1 min"],
	[61_000, "1 min 1 s"],
	[7_200_000, "2 h"],
	[90_000_000, "1 d 1 h"],
])("%d ms is said as %s", (ms, text) => {
	expect(spokenDuration(ms)).toBe(text);
});

test("each warning of the node has a short name of its own", () => {
	const titles = WARNING_CODES.map(warningTitle);
	expect(new Set(titles).size).toBe(WARNING_CODES.length);
	for (const title of titles) expect(title).toMatch(/^[A-Z][^_]{3,29}$/);
});
