/** Plays the stream of the path that the page stands at, by WHEP. `?muted=false`, `?controls=false` change the player. */

import { endpointUrl, keepConnected } from "./connection.js";

/** Audio that Chromium decodes and does not offer by itself: more than two channels of Opus, and PCM. */
const MORE_AUDIO = [
	["multiopus/48000/6", "channel_mapping=0,4,1,2,3,5;num_streams=4;coupled_streams=2"],
	["multiopus/48000/8", "channel_mapping=0,6,1,2,3,4,5,7;num_streams=5;coupled_streams=3"],
	["L16/48000/2", ""],
	["L16/48000/1", ""],
];

const video = document.getElementById("video");
const status = document.getElementById("status");
const sound = document.getElementById("sound");
const parameters = new URLSearchParams(location.search);
video.controls = parameters.get("controls") !== "false";
video.muted = parameters.get("muted") !== "false";

/** Asks for both channels of Opus, and for {@link MORE_AUDIO}. */
function withMoreAudio(sdp) {
	const [head, ...media] = sdp.split(/(?=^m=)/m);
	const used = new Set([...sdp.matchAll(/^a=rtpmap:(\d+)/gm)].map(([, type]) => Number(type)));
	const free = Array.from({ length: 31 }, (_, index) => 96 + index).filter((type) => !used.has(type));
	return head + media.map((section) => (section.startsWith("m=audio") ? extended(section, free) : section)).join("");
}

function extended(section, free) {
	const stereo = section.replace(/^a=fmtp:\d+ [^\r]*useinbandfec=1/m, "$&;stereo=1");
	return MORE_AUDIO.reduce((text, [encoding, fmtp]) => {
		const type = free.shift();
		if (type === undefined) return text;
		const parameters = fmtp === "" ? "" : `a=fmtp:${type} ${fmtp}\r\n`;
		return `${text.replace(/^m=audio [^\r]*/, `$& ${type}`)}a=rtpmap:${type} ${encoding}\r\n${parameters}`;
	}, stereo);
}

function showSound() {
	sound.textContent = video.muted ? "Sound on" : "Sound off";
}

sound.addEventListener("click", () => {
	video.muted = !video.muted;
	void video.play().catch(() => undefined);
});
video.addEventListener("volumechange", showSound);
showSound();

const abort = new AbortController();
addEventListener("pagehide", () => abort.abort());

void keepConnected({
	url: endpointUrl("whep"),
	signal: abort.signal,
	change: withMoreAudio,
	show: (text) => {
		status.textContent = text;
	},
	prepare: (pc) => {
		const stream = new MediaStream();
		pc.addTransceiver("video", { direction: "recvonly" });
		pc.addTransceiver("audio", { direction: "recvonly" });
		pc.addEventListener("track", ({ track }) => {
			stream.addTrack(track);
			video.srcObject = stream;
			void video.play().catch(() => undefined);
		});
	},
});
