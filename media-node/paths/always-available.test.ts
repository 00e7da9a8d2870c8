import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathConfig, type PathOverrides } from "#shared/config/path-config.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import {
	AAC_TRACK,
	Camera,
	H264_TRACK,
	RecordingPacketSink,
	recordingLogger,
	rtpPacket,
} from "../../test/support/rtp-stream.ts";
import { playOffline } from "../file/offline-clip.ts";
import type { Publication } from "../stream/publication.ts";
import type { Track } from "../stream/track.ts";
import { AlwaysAvailable, type PlayOffline } from "./always-available.ts";
import { MAX_RETRY_MS } from "./back-off.ts";
import { PathConfigs } from "./path-configs.ts";
import { PathTable, type PathTableOptions } from "./path-table.ts";

const CAM = parsePathName("cam01");
const H264 = { codec: "H264", sampleRate: 0, channelCount: 0, muLaw: false } as const;
const AAC = { codec: "MPEG4Audio", sampleRate: 48_000, channelCount: 2, muLaw: false } as const;
const ON: Partial<PathConfig> = { alwaysAvailable: true, alwaysAvailableTracks: [H264] };

const configsOf = (paths: Record<string, PathOverrides>) =>
	new PathConfigs({ pathDefaults: { ...DEFAULT_PATH_CONFIG }, paths });

const clipTracks: readonly Omit<Track, "index">[] = [H264_TRACK];
/** Publishes the tracks of a clip, and waits until it is stopped. */
const still: PlayOffline = async ({ signal, publish }) => {
	const publication = await publish(clipTracks);
	await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
	publication.close();
};

const parts: AsyncDisposable[] = [];
afterEach(async () => {
	for (const part of parts.splice(0)) await part[Symbol.asyncDispose]();
});

function nodeOf(
	paths: Record<string, PathOverrides>,
	{ play = still, ...options }: { play?: PlayOffline } & Partial<PathTableOptions> = {},
) {
	const clock = new FakeClock();
	const log = recordingLogger();
	const table = new PathTable({ clock, log, configs: configsOf(paths), ...options });
	const played: { readonly path: string; readonly signal: AbortSignal }[] = [];
	const always = new AlwaysAvailable({
		table,
		clock,
		log,
		play: (settings) => {
			played.push({ path: settings.config.alwaysAvailableFile, signal: settings.signal });
			return play(settings);
		},
	});
	parts.push(always);
	table.onStream(always);
	const heard: string[] = [];
	table.onStream({
		streamBegan: (_, { protocol }) => heard.push(`began ${protocol}`),
		publisherLeft: (_, { protocol }) => heard.push(`left ${protocol}`),
		publisherReturned: (_, { protocol }) => heard.push(`returned ${protocol}`),
		streamEnded: (_, { code }) => heard.push(`ended ${code}`),
	});
	const apply = (changed: Record<string, PathOverrides>) => {
		const configs = configsOf(changed);
		table.apply(configs);
		always.apply(configs);
	};
	always.apply(configsOf(paths));
	let count = 0;
	const publish = (tracks: readonly Omit<Track, "index">[] = [H264_TRACK]): Promise<Publication> => {
		const publisher = { id: `p${++count}`, protocol: "rtsp", remoteAddress: "10.0.0.1:5000" };
		return table.publish({ path: CAM, tracks, publisher, onEvicted: () => undefined });
	};
	const publisherOf = (path: PathName = CAM) => {
		const snapshot = table.list().find(({ name }) => name === path);
		return snapshot === undefined ? "no stream" : (snapshot.publisher?.protocol ?? "nobody");
	};
	return { clock, log, table, always, played, heard, apply, publish, publisherOf };
}

describe("a path that is always available", () => {
	it("shows the clip at once, as what it is, and other paths do not", async () => {
		const { table, publisherOf } = nodeOf({ cam01: ON, cam02: {}, all_others: {} });
		await settle();
		expect(table.list().map(({ name }) => name)).toEqual(["cam01"]);
		expect(publisherOf()).toBe("offlineSegment");
		expect(table.list()[0]?.publisher).toEqual({
			id: expect.any(String),
			protocol: "offlineSegment",
			remoteAddress: "",
			role: "offline",
		});
		expect((await table.read(CAM)).tracks).toEqual([H264_TRACK]);
	});

	it.each(["30s", "0s"])(
		"shows it again as soon as the publisher left, with a window of %s, and readers stay",
		async (window) => {
			const { table, publish, heard, clock } = nodeOf({ cam01: { ...ON, publisherReconnectWindow: window } });
			await settle();
			const sink = new RecordingPacketSink();
			(await table.read(CAM)).readPackets(sink);
			const publication = await publish();
			await settle();
			publication.close();
			await clock.advance(0);
			expect(heard).toEqual([
				"began offlineSegment",
				"left offlineSegment",
				"returned rtsp",
				"left rtsp",
				"returned offlineSegment",
			]);
			await clock.advance(3_600_000);
			expect(sink.ended).toEqual([]);
		},
	);

	it("keeps its readers while a slow clip is opened, and lets them go when none comes", async () => {
		let opens = 0;
		const play: PlayOffline = async (options) => {
			if (++opens === 2) await options.clock.sleep(5_000, options.signal);
			if (opens > 2) throw new InputError("input.invalid", "The file is gone");
			await still(options);
		};
		const { table, publish, publisherOf, clock } = nodeOf(
			{ cam01: { ...ON, publisherReconnectWindow: "0s" } },
			{ play },
		);
		await settle();
		const sink = new RecordingPacketSink();
		(await table.read(CAM)).readPackets(sink);
		(await publish()).close();
		await clock.advance(4_999);
		expect([publisherOf(), sink.ended]).toEqual(["nobody", []]);
		await clock.advance(1);
		expect(publisherOf()).toBe("offlineSegment");
		(await publish()).close();
		await clock.advance(9_999);
		expect(sink.ended).toEqual([]);
		await clock.advance(1);
		expect(sink.ended).toMatchObject([{ code: "stream.ended" }]);
	});

	it("shows nothing while one publisher takes over from another", async () => {
		const { publish, played, heard } = nodeOf({ cam01: ON });
		await settle();
		await publish();
		await publish();
		await settle();
		expect(played).toHaveLength(1);
		expect(heard.slice(2)).toEqual(["returned rtsp", "left rtsp", "returned rtsp"]);
	});

	it("stops the clip when a publisher comes", async () => {
		const { publish, played } = nodeOf({ cam01: ON });
		await settle();
		expect(played[0]?.signal.aborted).toBe(false);
		await publish();
		expect(played[0]?.signal.aborted).toBe(true);
	});

	it("refuses a publisher of other tracks and says what is expected, and the clip goes on", async () => {
		const { publish, publisherOf } = nodeOf({ cam01: ON });
		await settle();
		await expect(publish([H264_TRACK, AAC_TRACK])).rejects.toMatchObject({
			code: "media.unsupported",
			message:
				"cam01 is always available as H264/90000, but the publisher brings H264/90000 and mpeg4-generic/48000/2 " +
				"(configuration 1190): publish just these tracks in this order, or change alwaysAvailableTracks or alwaysAvailableFile",
		});
		await expect(publish([AAC_TRACK])).rejects.toMatchObject({ code: "media.unsupported" });
		expect(publisherOf()).toBe("offlineSegment");
		await publish([{ ...H264_TRACK, codec: { name: "H264", sps: Uint8Array.of(0x67, 1), pps: Uint8Array.of(0x68) } }]);
		await expect(publish([AAC_TRACK])).rejects.toMatchObject({ code: "media.unsupported" });
		expect(publisherOf()).toBe("rtsp");
	});

	it("keeps its publisher when a clip comes late", async () => {
		let begin = () => {};
		const play: PlayOffline = async ({ publish }) => {
			await new Promise<void>((resolve) => {
				begin = resolve;
			});
			await publish(clipTracks);
		};
		const { table, publish, publisherOf } = nodeOf({ cam01: ON }, { play });
		await settle();
		await publish();
		begin();
		await settle();
		expect(publisherOf()).toBe("rtsp");
		const clip = { id: "c", protocol: "offlineSegment", remoteAddress: "", role: "offline" } as const;
		const request = { path: CAM, tracks: clipTracks, publisher: clip, onEvicted: () => undefined };
		await expect(table.publish(request)).rejects.toMatchObject({ code: "path.conflict" });
	});

	it("shows the clip where publishers may not be overridden, and lets one in", async () => {
		const { publish, publisherOf } = nodeOf({ cam01: { ...ON, overridePublisher: false } });
		await settle();
		await publish();
		expect(publisherOf()).toBe("rtsp");
		await expect(publish()).rejects.toMatchObject({ code: "path.conflict" });
	});

	it("begins anew when its stream was ended", async () => {
		const { table, heard } = nodeOf({ cam01: ON });
		await settle();
		table.end(CAM, new GoneError("stream.ended", "The lease was lost"));
		await settle();
		expect(heard.slice(1)).toEqual(["left offlineSegment", "ended stream.ended", "began offlineSegment"]);
	});

	it("tells who lets publishers in that it is a clip", async () => {
		const roles: (string | undefined)[] = [];
		const onPublish: PathTableOptions["onPublish"] = async (_path, _config, _signal, { role }) => void roles.push(role);
		const { publish } = nodeOf({ cam01: ON }, { onPublish });
		await settle();
		await publish();
		expect(roles).toEqual(["offline", undefined]);
	});
});

describe("another configuration", () => {
	it("lets a clip go on that it does not change", async () => {
		const { apply, played, heard } = nodeOf({ cam01: ON });
		await settle();
		apply({ cam01: { ...ON, maxReaders: 5 }, cam02: {} });
		await settle();
		expect(played).toHaveLength(1);
		expect(heard).toEqual(["began offlineSegment"]);
	});

	it("begins another clip", async () => {
		const { apply, played, publisherOf } = nodeOf({ cam01: ON });
		await settle();
		apply({ cam01: { ...ON, alwaysAvailableTracks: [], alwaysAvailableFile: "new.mp4" } });
		await settle();
		expect(played.map(({ path, signal }) => [path, signal.aborted])).toEqual([
			["", true],
			["new.mp4", false],
		]);
		expect(publisherOf()).toBe("offlineSegment");
	});

	it("takes the clip off, and the stream ends when nobody comes", async () => {
		const { apply, clock, publisherOf } = nodeOf({ cam01: ON });
		await settle();
		apply({ cam01: {} });
		await settle();
		expect(publisherOf()).toBe("nobody");
		await clock.advance(30_000);
		expect(publisherOf()).toBe("no stream");
	});

	it("puts a clip where the publisher of a path leaves that was not always available before", async () => {
		const { apply, publish, publisherOf, played } = nodeOf({ cam01: {} });
		const publication = await publish();
		apply({ cam01: ON });
		await settle();
		expect([publisherOf(), played.length]).toEqual(["rtsp", 0]);
		publication.close();
		await settle();
		expect(publisherOf()).toBe("offlineSegment");
	});

	it("without the path ends its stream for good", async () => {
		const { apply, clock, publisherOf, log } = nodeOf({ cam01: ON, cam02: {} });
		await settle();
		apply({ cam02: {} });
		await clock.advance(60_000);
		expect(publisherOf()).toBe("no stream");
		expect(clock.pending).toBe(0);
		expect(log.lines).toEqual([]);
	});
});

describe("a clip that cannot be played", () => {
	it("is tried again, and the same fault is told once", async () => {
		let works = false;
		const play: PlayOffline = async (options) => {
			if (!works) throw new InputError("input.invalid", "Cannot play clip.mp4: there is no such file");
			await still(options);
		};
		const { clock, log, played, publisherOf } = nodeOf({ cam01: ON }, { play });
		await clock.advance(60_000);
		expect(played.length).toBeGreaterThan(3);
		expect(log.lines.filter(({ level }) => level === "warn")).toEqual([
			{
				level: "warn",
				fields: { path: CAM, code: "input.invalid" },
				message: "The offline clip of cam01 cannot be played: Cannot play clip.mp4: there is no such file",
			},
		]);
		works = true;
		await clock.advance(MAX_RETRY_MS);
		expect(publisherOf()).toBe("offlineSegment");
	});

	it("is a fault of ours if it is no error of the taxonomy", async () => {
		const { clock, log } = nodeOf({ cam01: ON }, { play: () => Promise.reject(new TypeError("oops")) });
		await clock.advance(0);
		expect(log.lines).toMatchObject([{ level: "error", fields: { path: CAM, err: { message: "oops" } } }]);
	});

	it("is closed when it ends without being asked to, and begins again", async () => {
		const play: PlayOffline = async ({ publish }) => void (await publish(clipTracks));
		const { clock, heard } = nodeOf({ cam01: ON }, { play });
		await clock.advance(0);
		expect(heard).toEqual(["began offlineSegment", "left offlineSegment"]);
		await clock.advance(MAX_RETRY_MS);
		expect(heard).toContain("returned offlineSegment");
	});
});

describe("closing", () => {
	it("takes all clips off, waits for them, and starts none any more", async () => {
		const { always, table, clock, played, publish } = nodeOf({ cam01: ON, cam02: ON });
		await settle();
		await always[Symbol.asyncDispose]();
		expect(played.every(({ signal }) => signal.aborted)).toBe(true);
		expect(table.list().map(({ ready }) => ready)).toEqual([false, false]);
		(await publish()).close();
		table.close();
		await settle();
		expect(played).toHaveLength(2);
		expect(clock.pending).toBe(0);
		await always[Symbol.asyncDispose]();
	});
});

describe("a reader of the built-in clip", () => {
	it("stays from clip to publisher to clip, with sequence numbers and times that go on", async () => {
		const tracks = [H264, AAC];
		const { clock, table, publish, publisherOf } = nodeOf(
			{ cam01: { ...ON, alwaysAvailableTracks: tracks } },
			{ play: playOffline },
		);
		const isOffline = () =>
			eventually("the clip plays", () => publisherOf() === "offlineSegment" && clock.pending > 0, { everyMs: 1 });
		await isOffline();
		const sink = new RecordingPacketSink();
		(await table.read(CAM)).readPackets(sink);
		const counts: number[] = [];
		const mark = () => counts.push(sink.packets.length);

		await clock.advance(3_000);
		mark();
		const publication = await publish([H264_TRACK, AAC_TRACK]);
		const camera = new Camera(publication, { sequence: 40_000, ssrc: 7 });
		for (let i = 0; i < 30; i++) {
			camera.key(1_000_000 + i * 9_000);
			const audio = { sequence: 60_000 + i, timestamp: 5_000 + i * 4_800, payload: Uint8Array.of(0, 16, 0, 8, 0) };
			camera.packet(1, rtpPacket({ ...audio, payloadType: 97, marker: true, ssrc: 9 }));
			publication.flush();
			await clock.advance(100);
		}
		mark();
		publication.close();
		await isOffline();
		await clock.advance(3_000);
		mark();

		expect(counts[0]).toBeGreaterThan(150);
		expect(counts[1]! - counts[0]!).toBe(30 * 4);
		expect(counts[2]! - counts[1]!).toBeGreaterThan(150);
		expect(sink.ended).toEqual([]);
		for (const [track, clockRate] of [90_000, 48_000].entries()) {
			const packets = sink.packets.filter((packet) => packet.track === track);
			const steps = packets.slice(1).map(({ timestamp }, i) => (timestamp - packets[i]!.timestamp) | 0);
			expect(packets.slice(1).every(({ sequence }, i) => sequence === ((packets[i]!.sequence + 1) & 0xffff))).toBe(
				true,
			);
			expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
			expect(new Set(packets.map(({ ssrc, payloadType }) => `${ssrc} ${payloadType}`)).size).toBe(1);
			// Nine seconds by the clock are nine seconds for the reader, but for a frame at each end.
			const seconds = steps.reduce((sum, step) => sum + step, 0) / clockRate;
			expect(Math.abs(seconds - 9)).toBeLessThan(0.3);
		}
	});
});
