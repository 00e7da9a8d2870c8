/** FFmpeg and GStreamer as RTSP clients, and what they received. */

import { eventually } from "./eventually.ts";
import { type ProbedPacket, probePackets } from "./ffmpeg.ts";
import { Program } from "./program.ts";

export type Login = { readonly user: string; readonly pass: string };

/** A publisher that takes film and sound from a file, once, in real time. `protocols`: of rtspclientsink. */
export function publishGst(file: string, url: string, protocols: "tcp" | "udp", login?: Login): Program {
	// SRTP besides the connection has to be asked for: rtspclientsink would send in plain.
	const profile = url.startsWith("rtsps:") && protocols === "udp" ? ["profiles=savp"] : [];
	return new Program("gst-launch-1.0", [
		...["-q", "filesrc", `location=${file}`, "!", "qtdemux", "name=film"],
		..."film.video_0 ! queue ! h264parse ! clocksync ! sink.".split(" "),
		..."film.audio_0 ! queue ! aacparse ! clocksync ! sink.".split(" "),
		...["rtspclientsink", "name=sink", `location=${url}`, `protocols=${protocols}`, ...profile],
		...["tls-validation-flags=0", ...gstLogin(login)],
	]);
}

/** Access units of video, and frames of sound. */
export type Amount = { readonly video: number; readonly audio: number };

/** FFmpeg that writes so much to `out`, and ends. */
export function readFfmpeg(url: string, transport: string, out: string, { video, audio }: Amount): Program {
	return new Program("ffmpeg", [
		...["-nostdin", "-v", "error", "-y", "-rtsp_transport", transport, "-i", url, "-c", "copy"],
		...["-frames:v", String(video), "-frames:a", String(audio), out],
	]);
}

export type GstReading = {
	/** Of rtspsrc. */
	readonly protocols: string;
	/** Where the access units go. */
	readonly out: string;
	/** How the sound is packed: GStreamer sends AAC as LATM, FFmpeg does not. */
	readonly sound: "rtpmp4gdepay" | "rtpmp4adepay";
	readonly login?: Login;
};

/** What glibc and gst-launch say when GStreamer 1.22 has spoilt its own memory, as it does at times when it decrypts SRTP. */
const CRASHES = /^(malloc|free|realloc)\(\): |corrupted|Caught SIG(SEGV|ABRT)/m;

/** GStreamer has crashed, which tells nothing of what it was sent. */
export class GstCrash extends Error {}

/** Access units that may not be in the file yet when they were counted. */
const MUXER_HOLDS = 5;

/** GStreamer that writes access units to a Matroska file until it is stopped. */
export class GstReader implements AsyncDisposable {
	readonly program: Program;

	constructor(url: string, { protocols, out, sound, login }: GstReading) {
		// No caps stand behind `in.`: gst-launch loses pads that come at the same moment when it has to filter them.
		this.program = new Program("gst-launch-1.0", [
			...["-v", "rtspsrc", "name=in", `location=${url}`, `protocols=${protocols}`, "tls-validation-flags=0"],
			...gstLogin(login),
			...["in.", "!", "rtph264depay", "!", "h264parse", "!", "video/x-h264,alignment=au"],
			...["!", "identity", "name=video", "silent=false", "!", "matroskamux", "streamable=true"],
			...["!", "filesink", "buffer-mode=unbuffered", `location=${out}`],
			...["in.", "!", sound, "!", "identity", "name=audio", "silent=false"],
			...["!", "fakesink", "sync=false", "async=false"],
		]);
	}

	/** Access units and frames of sound that came. */
	get received(): Amount {
		const said = this.program.output.toString();
		const count = (name: string) => said.split(new RegExp(`chain +\\*+ \\(${name}:`)).length - 1;
		return { video: count("video"), audio: count("audio") };
	}

	/** Waits until this much is in the file, and lets it hang up. */
	async receives({ video, audio }: Amount, timeoutMs = 20_000): Promise<void> {
		const isThere = () => {
			const { received, program } = this;
			if (received.video >= video + MUXER_HOLDS && received.audio >= audio) return true;
			if (!program.running) throw new Error(`GStreamer ended with ${program.child.exitCode}:\n${program.errors}`);
			return false;
		};
		await eventually("GStreamer receives enough", isThere, { timeoutMs, everyMs: 100 }).catch((error: Error) => {
			const got = `GStreamer got ${JSON.stringify(this.received)}`;
			if (CRASHES.test(this.program.errors)) throw new GstCrash(`${got}\n${this.program.errors}`);
			throw new Error(`${error.message}: ${got}\n${this.program.errors}`, { cause: error.cause });
		});
		await this.program.stop("SIGINT", 2_000);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.program[Symbol.asyncDispose]();
	}
}

/** Reads a path with FFmpeg to `out`; throws with what FFmpeg said unless all of it is a piece of `film`. */
export async function expectFilm(
	url: string,
	{ film, transport = "tcp", out, keysGrow }: { film: string; transport?: string; out: string; keysGrow?: boolean },
): Promise<void> {
	await using reader = readFfmpeg(url, transport, out, { video: 45, audio: 60 });
	await reader.succeed(20_000);
	const { place, frames } = await placeInFilm(out, film, { keysGrow: keysGrow === true });
	if (frames !== 45 || place < 0) throw new Error(`${url} gives ${frames} frames, which begin at ${place} of the film`);
}

function gstLogin(login: Login | undefined): string[] {
	return login === undefined ? [] : [`user-id=${login.user}`, `user-pw=${login.pass}`];
}

/** The packets of each film that was played, for `placeInFilm`. */
const films = new Map<string, Promise<ProbedPacket[]>>();

/**
 * Where the video of `out` begins in `film`, which may be played in a loop, all of it byte for byte; -1 when it is not a
 * piece of the film. The first two access units do not count: who joins a multicast group may get half of one.
 * With `keysGrow`, parameter sets may have been put into key frames.
 */
export async function placeInFilm(
	out: string,
	film: string,
	{ keysGrow = false }: { keysGrow?: boolean } = {},
): Promise<{ place: number; frames: number }> {
	const probing = films.get(film) ?? probePackets(film, "v:0");
	films.set(film, probing);
	const source = await probing;
	const received = await probePackets(out, "v:0");
	const isSame = (a: ProbedPacket, b: ProbedPacket | undefined) =>
		a.hash === b?.hash || (keysGrow && a.key && b?.key === true && a.size > b.size);
	const whole = received.slice(2);
	const place = source.findIndex((_, start) =>
		whole.every((packet, i) => isSame(packet, source[(start + i) % source.length])),
	);
	return { place, frames: received.length };
}
