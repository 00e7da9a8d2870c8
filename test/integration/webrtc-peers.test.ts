/** WebRTC with peers that are no browser: what one of them publishes, all of them and RTSP read, frame by frame. */

import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { probePackets } from "../support/ffmpeg.ts";
import { publishGstWebRtc, readGstWebRtc } from "../support/gst-webrtc.ts";
import { sample } from "../support/media.ts";
import type { Program } from "../support/program.ts";
import { placeInFilm, readFfmpeg } from "../support/rtsp-clients.ts";
import { Sluice } from "../support/sluice.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";
import { publishWerift, readWerift } from "../support/werift-webrtc.ts";

/** Three seconds. */
const WANTED = { video: 90, audio: 150 };
/**
 * FFmpeg may keep one less: werift's sender reports are of whole seconds, so that its readers see time stamps that stand
 * still and jump, where the last frame of sound can fall behind the end.
 */
const LEAST_SOUND = WANTED.audio - 1;
/** It is played once, for as long as all readers need. */
const FILM_SECONDS = 60;
/** One slice a picture: GStreamer puts parameter sets before each slice of a key frame. */
const H264 = "libx264 -preset ultrafast -tune zerolatency -threads 1 -g 30 -pix_fmt yuv420p -b:v 800k".split(" ");
const OPUS = "libopus -b:a 64k -ac 2".split(" ");

let folder: TempDir;
let sluice: Sluice;
let film: string;

beforeAll(async () => {
	folder = await tempDir();
	film = await sample({ seconds: FILM_SECONDS, size: "320x240", video: H264, audio: OPUS, extension: "mkv" });
	sluice = await Sluice.start({ folder: folder.path });
}, 60_000);

afterAll(async () => {
	await sluice?.[Symbol.asyncDispose]();
	await folder?.[Symbol.asyncDispose]();
});

type Peer = AsyncDisposable & { readonly program: Program };
type Publisher = { readonly from: string; readonly start: (name: string) => Promise<Peer> };

const PUBLISHERS: readonly Publisher[] = [
	{ from: "GStreamer", start: (name) => publishGstWebRtc(film, sluice.webrtc(name)) },
	{ from: "werift", start: (name) => publishWerift(film, sluice.webrtc(name)) },
];

type Reader = { readonly by: string; readonly read: (name: string, out: string) => Promise<void> };

const READERS: readonly Reader[] = [
	{
		by: "ffmpeg over RTSP",
		read: async (name, out) => {
			await using reader = readFfmpeg(sluice.rtsp(name), "tcp", out, WANTED);
			await reader.succeed(20_000);
		},
	},
	{
		by: "GStreamer over WHEP",
		read: async (name, out) => {
			await using reader = await readGstWebRtc(sluice.webrtc(name), out);
			await reader.receives(WANTED);
		},
	},
	{
		by: "werift over WHEP",
		read: async (name, out) => {
			await using reader = await readWerift(sluice.webrtc(name), out, WANTED);
			await reader.program.succeed(20_000);
		},
	},
];

async function readOnce({ by, read }: Reader, name: string): Promise<string> {
	const out = path.join(folder.path, `${name}-${by.replaceAll(/\W/g, "")}.mkv`);
	await read(name, out);
	// The film has parameter sets in its head, and its publishers send them with each key frame.
	const video = await placeInFilm(out, film, { keysGrow: true });
	if (video.frames < WANTED.video || video.place < 0) return `${by}: ${video.frames} frames, at ${video.place}`;
	const sound = await soundInFilm(out);
	if (sound.packets < LEAST_SOUND || sound.place < 0) return `${by}: ${sound.packets} of sound, at ${sound.place}`;
	return `${by}: film and sound`;
}

/** Where the sound of a file begins in the film, all of it byte for byte; -1 when it is not a piece of it. */
async function soundInFilm(out: string): Promise<{ place: number; packets: number }> {
	const received = (await probePackets(out, "a:0")).map(({ hash }) => hash);
	const source = (await probePackets(film, "a:0")).map(({ hash }) => hash);
	const place = source.findIndex((_, start) => received.every((hash, at) => hash === source[start + at]));
	return { place, packets: received.length };
}

describe.each(PUBLISHERS)("a WebRTC publisher with $from", ({ from, start }) => {
	it("is read byte for byte by WebRTC readers of two makes, and by RTSP, until it leaves", async () => {
		const name = from.toLowerCase();
		await using publisher = await start(name);
		await sluice.ready(name, 20_000).catch((error: Error) => {
			throw new Error(`${error.message}\n${publisher.program.tail}`, { cause: error });
		});
		const reading = READERS.map((reader) =>
			readOnce(reader, name).catch((error: Error) => `${reader.by}: ${error.message}`),
		);
		expect(await Promise.all(reading)).toEqual(READERS.map(({ by }) => `${by}: film and sound`));
		expect(publisher.program.running, publisher.program.tail).toBe(true);
		await publisher[Symbol.asyncDispose]();
		await eventually("the stream has ended", async () => {
			return (await sluice.metric("paths", { name, state: "ready" })) === 0;
		});
	});
});

it("the node of all of them has nothing to complain of, and ends cleanly", async () => {
	await sluice.stop();
	expect(await sluice.program.exited).toEqual({ code: 0, signal: null });
	expect(sluice.program.output.toString() + sluice.program.errors).not.toMatch(/\b(?:ERROR|FATAL):/);
});
