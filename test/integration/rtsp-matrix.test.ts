/** Every way to publish against every way to read, with real clients and one server for all. */

import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { canJoinGroups } from "../support/multicast.ts";
import type { Program } from "../support/program.ts";
import { GstCrash, GstReader, type GstReading, placeInFilm, publishGst, readFfmpeg } from "../support/rtsp-clients.ts";
import { Sluice } from "../support/sluice.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";
import { watchWithVlc } from "../support/vlc.ts";

/** One and a half seconds. */
const WANTED = { video: 45, audio: 60 };
/** One publisher plays it for as long as all its readers need. */
const FILM_SECONDS = 60;

let folder: TempDir;
let sluice: Sluice;
let film: string;

beforeAll(async () => {
	folder = await tempDir();
	film = await sample({ seconds: FILM_SECONDS, size: "320x240" });
	sluice = await Sluice.start({
		folder: folder.path,
		secure: true,
		config: "pathDefaults: { hlsSegmentDuration: 1s }",
	});
});

afterAll(async () => {
	await sluice?.[Symbol.asyncDispose]();
	await folder?.[Symbol.asyncDispose]();
});

type Publisher = { readonly from: string; readonly start: (name: string) => Program };

const PUBLISHERS: readonly Publisher[] = [
	{ from: "ffmpeg over UDP", start: (name) => publish(film, sluice.rtsp(name), { transport: "udp" }) },
	{ from: "ffmpeg over TCP", start: (name) => publish(film, sluice.rtsp(name), { transport: "tcp" }) },
	{ from: "ffmpeg over RTSPS", start: (name) => publish(film, sluice.rtsps(name), { transport: "tcp" }) },
	{ from: "GStreamer over UDP", start: (name) => publishGst(film, sluice.rtsp(name), "udp") },
	{ from: "GStreamer over TCP", start: (name) => publishGst(film, sluice.rtsp(name), "tcp") },
	{ from: "GStreamer over RTSPS", start: (name) => publishGst(film, sluice.rtsps(name), "tcp") },
	{ from: "GStreamer over RTSPS and SRTP", start: (name) => publishGst(film, sluice.rtsps(name), "udp") },
];

type Reader = { readonly by: string; readonly read: (reading: Reading) => Promise<void> };

type Reading = { readonly name: string; readonly out: string; readonly sound: GstReading["sound"] };

const ffmpeg = async (url: string, transport: string, { out }: Reading) => {
	await using reader = readFfmpeg(url, transport, out, WANTED);
	await reader.succeed(20_000);
};
const gst = async (url: string, protocols: string, { out, sound }: Reading) => {
	await using reader = new GstReader(url, { protocols, out, sound });
	await reader.receives(WANTED);
};

const ALL_READERS: readonly Reader[] = [
	{ by: "ffmpeg over UDP", read: (from) => ffmpeg(sluice.rtsp(from.name), "udp", from) },
	{ by: "ffmpeg over TCP", read: (from) => ffmpeg(sluice.rtsp(from.name), "tcp", from) },
	{ by: "ffmpeg over multicast", read: (from) => ffmpeg(sluice.rtsp(from.name), "udp_multicast", from) },
	{ by: "ffmpeg over RTSPS", read: (from) => ffmpeg(sluice.rtsps(from.name), "tcp", from) },
	{ by: "GStreamer over UDP", read: (from) => gst(sluice.rtsp(from.name), "udp", from) },
	{ by: "GStreamer over TCP", read: (from) => gst(sluice.rtsp(from.name), "tcp", from) },
	{ by: "GStreamer over multicast", read: (from) => gst(sluice.rtsp(from.name), "udp-mcast", from) },
	{ by: "GStreamer over RTSPS", read: (from) => gst(sluice.rtsps(from.name), "tcp", from) },
	{ by: "GStreamer over RTSPS and SRTP", read: (from) => gst(sluice.rtsps(from.name), "udp", from) },
	{ by: "GStreamer over RTSPS and SRTP to a group", read: (from) => gst(sluice.rtsps(from.name), "udp-mcast", from) },
];

/** Clients join groups by the machine's routes: without a network there is none. */
const HAS_GROUPS = await canJoinGroups();
const READERS = HAS_GROUPS ? ALL_READERS : ALL_READERS.filter(({ by }) => !/multicast|group/.test(by));

/** So many at the same time leave a machine of two cores room to keep up. */
const AT_ONCE = 5;

/** Debian's VLC is built without live555, and so without RTSP: it plays the HLS of the same stream. */
async function firstPictureOfVlc(name: string): Promise<void> {
	const url = await sluice.watchUrl(name);
	await sluice.playlist(url, 1);
	await using vlc = watchWithVlc(url, folder.path);
	await vlc.says("Received first picture");
}

async function readOnce({ by, read }: Reader, name: string, sound: Reading["sound"]): Promise<string> {
	const out = path.join(folder.path, `${name}-${by.replaceAll(/\W/g, "")}.mkv`);
	await read({ name, out, sound });
	const { place, frames } = await placeInFilm(out, film);
	if (frames < WANTED.video) return `${by}: ${frames} frames`;
	return `${by}: ${place >= 0 ? "all of the film" : "not as in the film"}`;
}

/** A client that crashes gets another chance. */
async function readAgainAfterCrash(reader: Reader, name: string, sound: Reading["sound"]): Promise<string> {
	return readOnce(reader, name, sound)
		.catch((error: Error) => (error instanceof GstCrash ? readOnce(reader, name, sound) : Promise.reject(error)))
		.catch((error: Error) => `${reader.by}: ${error.message}`);
}

describe.each(PUBLISHERS)("a publisher with $from", ({ from, start }) => {
	const all = `every kind of reader${HAS_GROUPS ? "" : " but those of groups"}`;
	it(`is read byte for byte by ${all}`, async () => {
		const name = from.toLowerCase().replaceAll(/\W+/g, "-");
		const sound = from.startsWith("ffmpeg") ? "rtpmp4gdepay" : "rtpmp4adepay";
		await using publisher = start(name);
		await sluice.ready(name);
		const waiting = [...READERS];
		const read: string[] = [];
		const lane = async () => {
			for (let reader = waiting.shift(); reader !== undefined; reader = waiting.shift()) {
				read.push(await readAgainAfterCrash(reader, name, sound));
			}
		};
		const [shown] = await Promise.allSettled([firstPictureOfVlc(name), ...Array.from({ length: AT_ONCE }, lane)]);
		expect(read.sort()).toEqual(READERS.map(({ by }) => `${by}: all of the film`).sort());
		expect(shown).toMatchObject({ status: "fulfilled" });
		expect(publisher.running, publisher.tail).toBe(true);
	});
});

describe("the server of all of them", () => {
	it("has nothing to complain of, and ends cleanly", async () => {
		await sluice.stop();
		expect(await sluice.program.exited).toEqual({ code: 0, signal: null });
		expect(sluice.program.output.toString() + sluice.program.errors).not.toMatch(/\b(?:ERROR|FATAL):/);
	});
});
