/** GStreamer as a WebRTC peer: its RTP, DTLS of OpenSSL, SRTP of libsrtp. Debian's has no ICE, which is an {@link IceLink}. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { eventually } from "./eventually.ts";
import { freeUdpPair } from "./free-port.ts";
import { IceLink } from "./ice-link.ts";
import { Program } from "./program.ts";
import type { Amount } from "./rtsp-clients.ts";
import { TLS_FILES } from "./sluice.ts";
import { attributes, type OfferedMedia, postOffer, writeOffer } from "./whip-client.ts";

/** A peer that was told to begin. */
export type GstPeer = AsyncDisposable & { readonly program: Program };

export type GstWebRtcReader = GstPeer & {
	/** Waits until this much is in the file, and lets GStreamer end. */
	receives(wanted: Amount): Promise<void>;
};

const VIDEO = { kind: "video", payloadType: 96, encoding: "H264/90000" } as const;
const AUDIO = { kind: "audio", payloadType: 97, encoding: "opus/48000/2" } as const;
const VIDEO_FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
const AUDIO_FMTP = "minptime=10;useinbandfec=1";
const MUXER_HOLDS = 20;
const VIDEO_SSRC = 0x6501;
const AUDIO_SSRC = 0x6502;

/** Publishes film and sound of a Matroska file, once, in real time. */
export function publishGstWebRtc(film: string, url: string): Promise<GstPeer> {
	const encoded = (sink: number) => ["!", "clocksync", "!", `rtp.send_rtp_sink_${sink}`];
	return start(`${url}/whip`, { video: VIDEO_SSRC, audio: AUDIO_SSRC }, () => [
		...["filesrc", `location=${film}`, "!", "matroskademux", "name=film"],
		...["film.video_0", "!", "queue", "!", "h264parse", "!", "rtph264pay", `pt=${VIDEO.payloadType}`],
		...["config-interval=-1", "mtu=1200", `ssrc=${VIDEO_SSRC}`, ...encoded(0)],
		...["film.audio_0", "!", "queue", "!", "opusparse", "!", "rtpopuspay", `pt=${AUDIO.payloadType}`],
		...[`ssrc=${AUDIO_SSRC}`, ...encoded(1)],
		..."rtp.send_rtp_src_0 ! out.rtp_sink_0 rtp.send_rtp_src_1 ! out.rtp_sink_1".split(" "),
	]);
}

/** Reads film and sound into a Matroska file until it has enough. */
export async function readGstWebRtc(url: string, out: string): Promise<GstWebRtcReader> {
	const peer = await start(`${url}/whep`, { video: null, audio: null }, (answer) => {
		const [video = "", audio = ""] = answer.split(/^m=/m).slice(1).map(ssrcOf);
		const source = (ssrc: string, media: string, at: number) => [
			...[`sources.src_${ssrc}`, "!", "capssetter", `caps=application/x-rtp,${media}`],
			...["!", `rtp.recv_rtp_sink_${at}`],
		];
		return [
			..."in.rtp_src ! rtpssrcdemux name=sources".split(" "),
			...source(video, `media=video,clock-rate=90000,encoding-name=H264,payload=${VIDEO.payloadType}`, 0),
			...source(audio, `media=audio,clock-rate=48000,encoding-name=OPUS,payload=${AUDIO.payloadType}`, 1),
			...[`rtp.recv_rtp_src_0_${video}_${VIDEO.payloadType}`, "!", "rtph264depay", "!", "h264parse"],
			...["!", "video/x-h264,alignment=au", "!", "identity", "name=video", "silent=false", "!", "file."],
			...[`rtp.recv_rtp_src_1_${audio}_${AUDIO.payloadType}`, "!", "rtpopusdepay", "!", "opusparse"],
			...["!", "identity", "name=audio", "silent=false", "!", "file."],
			...["matroskamux", "name=file", "streamable=true", "!"],
			...["filesink", "async=false", "buffer-mode=unbuffered", `location=${out}`],
		];
	});
	return { ...peer, receives: (wanted) => receives(peer.program, wanted) };
}

async function receives(program: Program, { video, audio }: Amount): Promise<void> {
	const isThere = () => {
		const said = program.output.toString();
		const count = (name: string) => said.split(`(${name}:sink)`).length - 1;
		// Some may not be in the file yet when they are counted.
		if (count("video") >= video + MUXER_HOLDS && count("audio") >= audio + MUXER_HOLDS) return true;
		if (!program.running) throw new Error(`GStreamer ended with ${program.child.exitCode}:\n${program.errors}`);
		return false;
	};
	await eventually("GStreamer receives enough", isThere, { timeoutMs: 20_000, everyMs: 100 }).catch((error: Error) => {
		throw new Error(`${error.message}\n${program.tail}`, { cause: error });
	});
	await program.stop("SIGINT", 2_000);
}

function ssrcOf(section: string): string {
	return /^a=ssrc:(\d+)/m.exec(section)?.[1] ?? "";
}

type Sources = { readonly video: number | null; readonly audio: number | null };

async function start(url: string, ssrcs: Sources, flow: (answer: string) => readonly string[]): Promise<GstPeer> {
	await using stack = new AsyncDisposableStack();
	const certificate = readFileSync(path.join(TLS_FILES, "localhost.crt"), "utf8");
	const key = readFileSync(path.join(TLS_FILES, "localhost.key"), "utf8");
	const port = (await freeUdpPair()).rtp;
	const link = stack.use(await IceLink.open(port));
	const media: OfferedMedia[] = [
		{ ...VIDEO, fmtp: VIDEO_FMTP, ssrc: ssrcs.video },
		{ ...AUDIO, fmtp: AUDIO_FMTP, ssrc: ssrcs.audio },
	];
	const fingerprint = new X509Certificate(certificate).fingerprint256;
	const offer = writeOffer({ ufrag: link.ufrag, pwd: link.pwd, fingerprint }, media);
	const session = stack.use(await postOffer(url, offer));
	await link.connect(session.answer);
	const isClient = attributes(session.answer, "setup")[0] === "passive";
	const program = stack.use(
		new Program("gst-launch-1.0", [
			...["-v", "rtpbin", "name=rtp"],
			...["udpsrc", "address=127.0.0.1", `port=${port}`, "!"],
			...["dtlssrtpdec", "name=in", "connection-id=node", `pem="${certificate}${key}"`],
			..."in.rtcp_src ! tee name=reports".split(" "),
			..."reports. ! queue ! rtp.recv_rtcp_sink_0 reports. ! queue ! rtp.recv_rtcp_sink_1".split(" "),
			..."rtp.send_rtcp_src_0 ! out.rtcp_sink_0 rtp.send_rtcp_src_1 ! out.rtcp_sink_1".split(" "),
			...["dtlssrtpenc", "name=out", "connection-id=node", `is-client=${isClient}`, "!"],
			...["udpsink", "host=127.0.0.1", `port=${link.port}`, "sync=false", "async=false"],
			...flow(session.answer),
		]),
	);
	const owned = stack.move();
	return { program, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
