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

/** Packets, or access units of video, to be received. */
export type Amount = { readonly video: number; readonly audio: number };

/** FFmpeg that writes so many video and audio packets to `out`, and ends. */
export function readFfmpeg(url: string, transport: string, out: string, { video, audio }: Amount): Program {
	return new Program("ffmpeg", [
		...["-nostdin", "-v", "error", "-y", "-rtsp_transport", transport, "-i", url, "-c", "copy"],
		...["-frames:v", String(video), "-frames:a", String(audio), out],
	]);
}

/** GStreamer that writes access units to `out` until it is stopped. `protocols`: of rtspsrc. */
export class GstReader implements AsyncDisposable {
	readonly program: Program;

	constructor(url: string, protocols: string, out: string, login?: Login) {
		this.program = new Program("gst-launch-1.0", [
			...["-v", "rtspsrc", "name=in", `location=${url}`, `protocols=${protocols}`, "tls-validation-flags=0"],
			...gstLogin(login),
			...["in.", "!", "application/x-rtp,media=video", "!", "rtph264depay", "!", "h264parse"],
			...["!", "video/x-h264,alignment=au", "!", "identity", "name=video", "silent=false"],
			...["!", "matroskamux", "streamable=true", "!", "filesink", "buffer-mode=unbuffered", `location=${out}`],
			...["in.", "!", "application/x-rtp,media=audio", "!", "identity", "name=audio", "silent=false"],
			...["!", "fakesink", "sync=false", "async=false"],
		]);
	}

	/** Access units of video, and packets of sound, that came. */
	get received(): Amount {
		const said = this.program.output.toString();
		const count = (name: string) => said.split(new RegExp(`chain +\\*+ \\(${name}:`)).length - 1;
		return { video: count("video"), audio: count("audio") };
	}

	/** Waits until it has got this much, and lets it hang up. */
	async receives({ video, audio }: Amount, timeoutMs = 20_000): Promise<void> {
		const isThere = () => {
			const { received, program } = this;
			if (received.video >= video && received.audio >= audio) return true;
			if (!program.running) throw new Error(`GStreamer ended with ${program.child.exitCode}:\n${program.errors}`);
			return false;
		};
		await eventually("GStreamer receives", isThere, { timeoutMs, everyMs: 100 });
		await this.program.stop("SIGINT", 2_000);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.program[Symbol.asyncDispose]();
	}
}

function gstLogin(login: Login | undefined): string[] {
	return login === undefined ? [] : [`user-id=${login.user}`, `user-pw=${login.pass}`];
}

/** The packets of each film that was played, for `placeIn`. */
const films = new Map<string, Promise<ProbedPacket[]>>();

/**
 * Where the video of `out` begins in `film`, which may be played in a loop, all of it byte for byte; -1 when it is not a
 * piece of the film. The first two access units do not count: who joins a multicast group may get half of one.
 */
export async function placeInFilm(out: string, film: string): Promise<{ place: number; frames: number }> {
	const probing = films.get(film) ?? probePackets(film, "v:0");
	films.set(film, probing);
	const source = await probing;
	const received = await probePackets(out, "v:0");
	const whole = received.slice(2);
	const place = source.findIndex((_, start) =>
		whole.every(({ hash }, i) => hash === source[(start + i) % source.length]?.hash),
	);
	return { place, frames: received.length };
}
