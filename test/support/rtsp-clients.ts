/** FFmpeg and GStreamer as RTSP clients, and what they received. */

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

/** GStreamer that writes so many access units to `out`, takes so many packets of sound, and ends. `protocols`: of rtspsrc. */
export function readGst(url: string, protocols: string, out: string, { video, audio }: Amount, login?: Login): Program {
	return new Program("gst-launch-1.0", [
		...["-q", "rtspsrc", "name=in", `location=${url}`, `protocols=${protocols}`, "tls-validation-flags=0"],
		...gstLogin(login),
		...["in.", "!", "application/x-rtp,media=video", "!", "rtph264depay", "!", "h264parse"],
		// The buffer of the number ends the stream instead of passing.
		...["!", "video/x-h264,alignment=au", "!", "identity", `eos-after=${video + 1}`],
		...["!", "matroskamux", "!", "filesink", `location=${out}`],
		...(audio === 0 ? [] : ["in.", "!", "application/x-rtp,media=audio", "!", "identity", `eos-after=${audio + 1}`]),
		...(audio === 0 ? [] : ["!", "fakesink", "sync=false", "async=false"]),
	]);
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
