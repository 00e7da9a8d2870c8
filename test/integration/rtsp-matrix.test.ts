/** Every way to publish against every way to read, with real clients and one server for all. */

import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import type { Program } from "../support/program.ts";
import { placeInFilm, publishGst, readFfmpeg, readGst } from "../support/rtsp-clients.ts";
import { Sluice } from "../support/sluice.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";
import { watchWithVlc } from "../support/vlc.ts";

const FRAMES = 45;
const AUDIO_FRAMES = 60;

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

type Reader = { readonly by: string; readonly start: (name: string, out: string) => Program };

const wanted = { video: FRAMES, audio: AUDIO_FRAMES };

const READERS: readonly Reader[] = [
	{ by: "ffmpeg over UDP", start: (name, out) => readFfmpeg(sluice.rtsp(name), "udp", out, wanted) },
	{ by: "ffmpeg over TCP", start: (name, out) => readFfmpeg(sluice.rtsp(name), "tcp", out, wanted) },
	{ by: "ffmpeg over multicast", start: (name, out) => readFfmpeg(sluice.rtsp(name), "udp_multicast", out, wanted) },
	{ by: "ffmpeg over RTSPS", start: (name, out) => readFfmpeg(sluice.rtsps(name), "tcp", out, wanted) },
	{ by: "GStreamer over UDP", start: (name, out) => readGst(sluice.rtsp(name), "udp", out, wanted) },
	{ by: "GStreamer over TCP", start: (name, out) => readGst(sluice.rtsp(name), "tcp", out, wanted) },
	{ by: "GStreamer over multicast", start: (name, out) => readGst(sluice.rtsp(name), "udp-mcast", out, wanted) },
	{ by: "GStreamer over RTSPS", start: (name, out) => readGst(sluice.rtsps(name), "tcp", out, wanted) },
	{ by: "GStreamer over RTSPS and SRTP", start: (name, out) => readGst(sluice.rtsps(name), "udp", out, wanted) },
	{
		by: "GStreamer over RTSPS and SRTP to a group",
		start: (name, out) => readGst(sluice.rtsps(name), "udp-mcast", out, wanted),
	},
];

/** So many at the same time leave a machine of two cores room to keep up. */
const AT_ONCE = 5;

/** Debian's VLC is built without live555, and so without RTSP: it plays the HLS of the same stream. */
async function firstPictureOfVlc(name: string): Promise<void> {
	const url = await sluice.watchUrl(name);
	await sluice.playlist(url, 1);
	await using vlc = watchWithVlc(url, folder.path);
	await vlc.says("Received first picture");
}

async function readOnce({ by, start }: Reader, name: string): Promise<string> {
	const out = path.join(folder.path, `${name}-${by.replaceAll(/\W/g, "")}.mkv`);
	await using reader = start(name, out);
	await reader.succeed(20_000);
	const { place, frames } = await placeInFilm(out, film);
	return `${by}: ${frames} frames, ${place >= 0 ? "all of the film" : "not as in the film"}`;
}

describe.each(PUBLISHERS)("a publisher with $from", ({ from, start }) => {
	it("is read byte for byte by every kind of reader", async () => {
		const name = from.toLowerCase().replaceAll(/\W+/g, "-");
		await using publisher = start(name);
		await sluice.ready(name);
		const waiting = [...READERS];
		const read: string[] = [];
		const lane = async () => {
			for (let reader = waiting.shift(); reader !== undefined; reader = waiting.shift()) {
				read.push(await readOnce(reader, name).catch((error: Error) => `${reader?.by}: ${error.message}`));
			}
		};
		const [shown] = await Promise.allSettled([firstPictureOfVlc(name), ...Array.from({ length: AT_ONCE }, lane)]);
		expect(read.sort()).toEqual(READERS.map(({ by }) => `${by}: ${FRAMES} frames, all of the film`).sort());
		expect(shown).toMatchObject({ status: "fulfilled" });
		expect(publisher.running, publisher.tail).toBe(true);
	});
});
