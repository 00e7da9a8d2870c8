import { describe, expect, test } from "vitest";
import { Slots } from "./slots.ts";
import { bitrateOf, codecNames, isWaiting, pictureOf, type Stream, sizeText } from "./stream.ts";
import { arranged, newsOf } from "./wall-order.ts";

const VIDEO = { id: "v0", kind: "video", codecs: "avc1.64001f", bandwidth: 3e6, averageBandwidth: 2e6 } as const;
const AUDIO = { id: "a0", kind: "audio", codecs: "mp4a.40.2", bandwidth: 1e5, averageBandwidth: 1e5 } as const;

function stream(path: string, { viewers = 0, bits = 0, warnings = 0, isKnown = true } = {}): Stream {
	const warning = { code: "b_frames" as const, message: "m", since: "2026-01-01T00:00:00Z" };
	const health: Stream["health"] = {
		since: "2026-01-01T00:00:00Z",
		source: { type: "rtsp" },
		tracks: [{ kind: "video", codec: "H265" }],
		packetLoss: null,
		bitsPerSecond: bits,
		viewers: { total: viewers, rtsp: 0, webrtc: 0, hls: viewers },
		uploadLagMs: 0,
		keyFrameIntervalMs: null,
		warnings: Array.from({ length: warnings }, () => warning),
	};
	const rest = { live: true, node: "n", committedAt: "2026-01-01T00:00:00Z", targetDuration: 2, mediaSequence: 1 };
	return { path, ...rest, renditions: [VIDEO, AUDIO], health: isKnown ? health : null };
}

describe("arranged", () => {
	const streams = [
		stream("cam10", { viewers: 3, bits: 9 }),
		stream("cam2", { viewers: 9, bits: 5, warnings: 2 }),
		stream("Gate/cam1", { warnings: 1 }),
		stream("lost", { isKnown: false }),
	];
	const names = (list: readonly Stream[]) => list.map(({ path }) => path);

	test("goes by name as people count", () => {
		expect(names(arranged(streams, "", "name"))).toEqual(["cam2", "cam10", "Gate/cam1", "lost"]);
	});

	test("goes by viewers, bitrate and trouble, and then by name", () => {
		expect(names(arranged(streams, "", "viewers"))).toEqual(["cam2", "cam10", "Gate/cam1", "lost"]);
		expect(names(arranged(streams, "", "bitrate"))).toEqual(["lost", "cam10", "cam2", "Gate/cam1"]);
		expect(names(arranged(streams, "", "trouble"))).toEqual(["cam2", "Gate/cam1", "cam10", "lost"]);
	});

	test("keeps those with the text in their name, in either case", () => {
		expect(names(arranged(streams, " gate ", "name"))).toEqual(["Gate/cam1"]);
		expect(arranged(streams, "none", "name")).toEqual([]);
	});
});

describe("newsOf", () => {
	test("names who came and who went", () => {
		expect(newsOf(["a", "b"], ["b", "c", "d"])).toBe("c, d are live. a ended.");
	});

	test("counts when there are many, and is silent when there is nothing", () => {
		expect(newsOf([], ["a", "b", "c", "d"])).toBe("4 streams are live.");
		expect(newsOf(["a"], ["a"])).toBe("");
	});
});

describe("facts of a stream", () => {
	test("tell that it waits for its publisher, while it is live without a source", () => {
		const sent = stream("a");
		const waits = { ...sent, health: sent.health && { ...sent.health, source: { type: "" } } };
		expect([sent, waits, { ...waits, live: false }, stream("a", { isKnown: false })].map(isWaiting)).toEqual([
			false,
			true,
			false,
			false,
		]);
	});

	test("come from its node, else from its renditions", () => {
		expect(bitrateOf(stream("a", { bits: 7 }))).toBe(7);
		expect(bitrateOf(stream("a", { isKnown: false }))).toBe(2_100_000);
		expect(codecNames(stream("a"))).toEqual(["H265"]);
		expect(codecNames(stream("a", { isKnown: false }))).toEqual(["H264", "AAC"]);
	});

	test("say the size as far as it is known", () => {
		expect(sizeText({ width: 1280, height: 720, frameRate: 29.97003 })).toBe("1280×720 · 29.97\u00a0fps");
		expect(sizeText({ width: 1280 })).toBe("");
	});

	test("the picture is the highest one, and sound has none", () => {
		const low = { ...VIDEO, id: "v1", height: 360 };
		const high = { ...VIDEO, height: 1080 };
		expect(pictureOf({ ...stream("a"), renditions: [AUDIO, low, high] })).toBe(high);
		expect(pictureOf({ ...stream("a"), renditions: [AUDIO] })).toBeNull();
	});
});

describe("Slots", () => {
	test("run no more than so many at the same time, in order, and all in the end", async () => {
		const slots = new Slots(2);
		const log: string[] = [];
		const doors = ["a", "b", "c"].map((name) => ({ name, ...Promise.withResolvers<void>() }));
		const all = doors.map(({ name, promise }) =>
			slots.run(async () => {
				log.push(name);
				await promise;
			}, new AbortController().signal),
		);
		await Promise.resolve();
		expect(log).toEqual(["a", "b"]);
		for (const { resolve } of doors) resolve();
		await Promise.all(all);
		expect(log).toEqual(["a", "b", "c"]);
	});

	test("pass over who has given up, and go on after a task that failed", async () => {
		const slots = new Slots(1);
		const log: string[] = [];
		const failed = slots.run(() => Promise.reject(new Error("no")), new AbortController().signal);
		const gone = slots.run(async () => void log.push("gone"), AbortSignal.abort());
		const last = slots.run(async () => void log.push("last"), new AbortController().signal);
		await expect(failed).rejects.toThrow("no");
		await Promise.all([gone, last]);
		expect(log).toEqual(["last"]);
	});
});
