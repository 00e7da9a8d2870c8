/** Ready commands that publish to a path, one for each tool that can speak a protocol of the node. Pure. */

import { rtmpFields, withCredential } from "./media-address.ts";
import { shellCommand } from "./shell-quote.ts";

/** Addresses without credentials; `null`: the node does not serve that protocol. */
export type PublishUrls = {
	readonly rtsp: string | null;
	readonly rtsps: string | null;
	readonly whip: string | null;
	readonly rtmp: string | null;
	readonly srt: string | null;
};

/** One thing to copy. `command`: for a shell. `field`: into a field of a program. `code`: into a page. */
export type Recipe = {
	readonly id: string;
	readonly tool: string;
	readonly title: string;
	readonly kind: "command" | "field" | "code";
	readonly text: string;
	readonly note?: string;
};

/** A test picture and tone, as any machine with ffmpeg can make them: key frames each two seconds, no B-frames. */
const TEST_SOURCE = [
	["-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-f", "lavfi", "-i", "sine=frequency=440"],
	["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "60", "-pix_fmt", "yuv420p", "-c:a", "aac"],
] as const;

/** What begins a first stream: a test picture over RTSP. `null` when no node takes RTSP. */
export function firstPublishCommand(urls: Pick<PublishUrls, "rtsp" | "rtsps">, credential: string): string | null {
	const address = urls.rtsp ?? urls.rtsps;
	if (address === null) return null;
	return shellCommand(["ffmpeg", ...TEST_SOURCE[0]], TEST_SOURCE[1], rtspOutput(withCredential(address, credential)));
}

/** Every recipe that the node's protocols allow, those for a shell first. */
export function publishRecipes(urls: PublishUrls, credential: string): Recipe[] {
	const rtsp = urls.rtsp ?? urls.rtsps;
	return [
		...(rtsp === null ? [] : overRtsp(withCredential(rtsp, credential))),
		...(urls.srt === null ? [] : overSrt(withCredential(urls.srt, credential))),
		...(urls.whip === null ? [] : overWhip(urls.whip, credential)),
		...(urls.rtmp === null ? [] : overRtmp(urls.rtmp, credential)),
	];
}

function rtspOutput(address: string): string[] {
	return ["-f", "rtsp", "-rtsp_transport", "tcp", address];
}

function overRtsp(address: string): Recipe[] {
	return [
		{
			id: "ffmpeg-test",
			tool: "ffmpeg",
			title: "A test picture and tone",
			kind: "command",
			text: shellCommand(["ffmpeg", ...TEST_SOURCE[0]], TEST_SOURCE[1], rtspOutput(address)),
		},
		{
			id: "ffmpeg-file",
			tool: "ffmpeg",
			title: "A file, again and again, as it is encoded",
			kind: "command",
			text: shellCommand(["ffmpeg", "-re", "-stream_loop", "-1", "-i", "video.mp4", "-c", "copy"], rtspOutput(address)),
		},
		{
			id: "gst-rtsp",
			tool: "GStreamer",
			title: "A test picture",
			kind: "command",
			text: shellCommand(
				["gst-launch-1.0", "videotestsrc", "is-live=true", "!", "video/x-raw,width=1280,height=720,framerate=30/1"],
				["!", "x264enc", "tune=zerolatency", "key-int-max=60", "!", "h264parse"],
				["!", "rtspclientsink", "protocols=tcp", gstValue("location", address)],
			),
		},
	];
}

function overSrt(address: string): Recipe[] {
	return [
		{
			id: "ffmpeg-srt",
			tool: "ffmpeg",
			title: "A test picture and tone over SRT",
			kind: "command",
			text: shellCommand(["ffmpeg", ...TEST_SOURCE[0]], TEST_SOURCE[1], ["-f", "mpegts", address]),
		},
	];
}

function overWhip(endpoint: string, credential: string): Recipe[] {
	return [
		{ id: "obs-whip-server", tool: "OBS", title: "Server (service WHIP)", kind: "field", text: endpoint },
		{
			id: "obs-whip-token",
			tool: "OBS",
			title: "Bearer token (service WHIP)",
			kind: "field",
			text: credential,
			note: "Set key frame interval to 2 s and B-frames to 0 in the output settings.",
		},
		{
			id: "gst-whip",
			tool: "GStreamer",
			title: "A test picture over WHIP",
			kind: "command",
			text: shellCommand(
				["gst-launch-1.0", "videotestsrc", "is-live=true", "!", "videoconvert"],
				["!", "x264enc", "tune=zerolatency", "key-int-max=60", "!", "h264parse", "!", "rtph264pay"],
				["!", "whipsink", gstValue("whip-endpoint", endpoint), gstValue("auth-token", credential)],
			),
			note: "whipsink is in the plugins gst-plugins-rs.",
		},
		{
			id: "curl-whip",
			tool: "curl",
			title: "An offer that you have in offer.sdp",
			kind: "command",
			text: shellCommand(
				["curl", "-i", "-X", "POST", "-H", "content-type: application/sdp"],
				["-H", `authorization: Bearer ${credential}`, "--data-binary", "@offer.sdp"],
				[endpoint],
			),
			note: "To see what the node answers: 201 with its own description, or a problem that says what is wrong.",
		},
	];
}

function overRtmp(address: string, credential: string): Recipe[] {
	const { server, streamKey } = rtmpFields(address, credential);
	return [
		{ id: "obs-rtmp-server", tool: "OBS", title: "Server (service Custom)", kind: "field", text: server },
		{ id: "obs-rtmp-key", tool: "OBS", title: "Stream key (service Custom)", kind: "field", text: streamKey },
		{
			id: "ffmpeg-rtmp",
			tool: "ffmpeg",
			title: "A test picture and tone over RTMP",
			kind: "command",
			text: shellCommand(["ffmpeg", ...TEST_SOURCE[0]], TEST_SOURCE[1], [
				"-f",
				"flv",
				withCredential(address, credential),
			]),
		},
	];
}

/** A property of an element: gst-launch parses spaces, quotes and backslashes for itself, after the shell has. */
export function gstValue(name: string, value: string): string {
	return /[\s"\\]/.test(value) ? `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"` : `${name}=${value}`;
}
