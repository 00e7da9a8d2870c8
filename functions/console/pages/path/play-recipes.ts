/** Ready commands and snippets that play a path. Pure. */

import { withCredential } from "./media-address.ts";
import { gstValue, type Recipe } from "./publish-recipes.ts";
import { shellCommand } from "./shell-quote.ts";

/** Addresses without credentials, but for `hls`, which has the token in its path. */
export type PlayUrls = {
	readonly rtsp: string | null;
	readonly rtsps: string | null;
	readonly whep: string | null;
	readonly page: string | null;
	readonly srt: string | null;
	readonly hls: string | null;
};

/** Every recipe that the node's protocols allow. `credential`: a token or stream key to read. */
export function playRecipes(urls: PlayUrls, credential: string): Recipe[] {
	const rtsp = urls.rtsp ?? urls.rtsps;
	return [
		...(rtsp === null ? [] : overRtsp(withCredential(rtsp, credential))),
		...(urls.hls === null ? [] : overHls(urls.hls)),
		...(urls.page === null ? [] : [frameOf(withCredential(urls.page, credential))]),
		...(urls.whep === null ? [] : [overWhep(urls.whep, credential)]),
		...(urls.srt === null ? [] : [overSrt(withCredential(urls.srt, credential))]),
	];
}

function overRtsp(address: string): Recipe[] {
	return [
		{
			id: "ffplay-rtsp",
			tool: "ffplay",
			title: "RTSP, with little delay",
			kind: "command",
			text: shellCommand(["ffplay", "-fflags", "nobuffer", "-rtsp_transport", "tcp", address]),
		},
		{
			id: "vlc-rtsp",
			tool: "VLC",
			title: "RTSP",
			kind: "command",
			text: shellCommand(["vlc", "--network-caching=300", address]),
		},
		{
			id: "gst-rtsp-play",
			tool: "GStreamer",
			title: "RTSP",
			kind: "command",
			text: shellCommand(["gst-launch-1.0", "playbin3", gstValue("uri", address)]),
		},
	];
}

function overHls(address: string): Recipe[] {
	return [
		{ id: "ffplay-hls", tool: "ffplay", title: "HLS", kind: "command", text: shellCommand(["ffplay", address]) },
		{ id: "vlc-hls", tool: "VLC", title: "HLS", kind: "command", text: shellCommand(["vlc", address]) },
		{
			id: "ffmpeg-record",
			tool: "ffmpeg",
			title: "Keep what comes as a file",
			kind: "command",
			text: shellCommand(["ffmpeg", "-i", address, "-c", "copy", "recording.mp4"]),
		},
		{
			id: "html-hls",
			tool: "Web page",
			title: "A video element with hls.js",
			kind: "code",
			text: hlsSnippet(address),
			note: "Safari plays the address in a video element by itself.",
		},
	];
}

/** A page's piece that plays HLS wherever there is MSE, and by the browser itself elsewhere. */
export function hlsSnippet(address: string): string {
	return [
		`<video id="live" controls muted autoplay playsinline></video>`,
		`<script type="module">`,
		`  import Hls from "https://cdn.jsdelivr.net/npm/hls.js@1/dist/hls.mjs";`,
		`  const video = document.getElementById("live");`,
		`  const address = ${scriptText(address)};`,
		"  if (Hls.isSupported()) {",
		"    const hls = new Hls();",
		"    hls.loadSource(address);",
		"    hls.attachMedia(video);",
		"  } else {",
		"    video.src = address;",
		"  }",
		"</script>",
	].join("\n");
}

function frameOf(address: string): Recipe {
	return {
		id: "html-frame",
		tool: "Web page",
		title: "The node's player, over WebRTC",
		kind: "code",
		text: `<iframe src="${attributeText(address)}" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" title="Live"></iframe>`,
	};
}

function overWhep(endpoint: string, credential: string): Recipe {
	return {
		id: "gst-whep",
		tool: "GStreamer",
		title: "WHEP",
		kind: "command",
		text: shellCommand(
			["gst-launch-1.0", "whepsrc", gstValue("whep-endpoint", endpoint), gstValue("auth-token", credential)],
			["!", "decodebin3", "!", "autovideosink"],
		),
		note: "whepsrc is in the plugins gst-plugins-rs.",
	};
}

function overSrt(address: string): Recipe {
	return { id: "ffplay-srt", tool: "ffplay", title: "SRT", kind: "command", text: shellCommand(["ffplay", address]) };
}

/** A text of JavaScript that can stand in a script element: nothing in it ends that (HTML, 4.12.1.3). */
export function scriptText(text: string): string {
	return JSON.stringify(text).replaceAll("<", "\\u003c");
}

/** For an attribute in double quotes (HTML, 13.1.2.3). */
export function attributeText(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
