/** Publishes a camera or a screen to the path that the page stands at, by WHIP. */

import { endpointUrl, keepConnected } from "./connection.js";

const SCREEN = "screen";
const NONE = "none";

const element = (id) => document.getElementById(id);
const status = element("status");
let abort = null;

function show(text) {
	status.textContent = text;
}

function fill(select, options) {
	const before = select.value;
	select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
	if (options.some(([value]) => value === before)) select.value = before;
}

/** Devices have names only after the user has allowed them once. */
async function listDevices() {
	const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
	const named = (kind, what) =>
		devices
			.filter((device) => device.kind === kind)
			.map(({ deviceId, label }, index) => [deviceId, label === "" ? `${what} ${index + 1}` : label]);
	const hasScreen = navigator.mediaDevices?.getDisplayMedia !== undefined;
	fill(element("camera"), [
		...named("videoinput", "Camera"),
		...(hasScreen ? [[SCREEN, "Screen"]] : []),
		[NONE, "None"],
	]);
	fill(element("microphone"), [...named("audioinput", "Microphone"), [NONE, "None"]]);
}

/** What stands beside codecs in the list: repairs, and not media. */
const NO_CODECS = /\/(rtx|red|ulpfec|flexfec-03|CN|telephone-event)$/i;

function codecs(kind) {
	return (RTCRtpSender.getCapabilities(kind)?.codecs ?? []).filter(({ mimeType }) => !NO_CODECS.test(mimeType));
}

function listCodecs() {
	for (const kind of ["video", "audio"]) {
		const names = [...new Set(codecs(kind).map(({ mimeType }) => mimeType))];
		fill(
			element(`${kind}Codec`),
			names.map((name) => [name, name.replace(/^\w+\//, "")]),
		);
	}
	if ([...element("videoCodec").options].some(({ value }) => value === "video/H264"))
		element("videoCodec").value = "video/H264";
}

async function capture() {
	const camera = element("camera").value;
	const microphone = element("microphone").value;
	const picture = {
		height: { ideal: Number(element("height").value) },
		frameRate: { ideal: Number(element("fps").value) },
	};
	const processing = element("voice").checked;
	const heard = { echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing };
	const audio = microphone === NONE ? false : { ...heard, ...device(microphone) };
	if (camera !== SCREEN) {
		const video = camera === NONE ? false : { ...picture, ...device(camera) };
		return navigator.mediaDevices.getUserMedia({ video, audio });
	}
	const screen = await navigator.mediaDevices.getDisplayMedia({ video: picture, audio: microphone !== NONE });
	if (screen.getAudioTracks().length > 0 || audio === false) return screen;
	const voice = await navigator.mediaDevices.getUserMedia({ audio });
	return new MediaStream([...screen.getTracks(), ...voice.getTracks()]);
}

function device(id) {
	return id === "" ? {} : { deviceId: { exact: id } };
}

/** One picture, or the same one in three sizes, of which the node gives each viewer what its network carries. */
function encodings() {
	const maxBitrate = Number(element("bitrate").value) * 1000;
	if (!element("simulcast").checked) return [{ maxBitrate }];
	// Else VP9 and AV1 come as layers of one picture.
	const each = { scalabilityMode: "L1T1" };
	return [
		{ ...each, rid: "l", scaleResolutionDownBy: 4, maxBitrate: Math.round(maxBitrate / 12) },
		{ ...each, rid: "m", scaleResolutionDownBy: 2, maxBitrate: Math.round(maxBitrate / 4) },
		{ ...each, rid: "h", maxBitrate },
	];
}

/** Adds the tracks, each with the codec that was chosen before all others. */
function addTracks(pc, stream) {
	for (const track of stream.getTracks()) {
		const sendEncodings = track.kind === "video" ? encodings() : [{}];
		const transceiver = pc.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
		const chosen = element(`${track.kind}Codec`).value;
		const all = RTCRtpSender.getCapabilities(track.kind)?.codecs ?? [];
		const first = all.filter(({ mimeType }) => mimeType === chosen);
		transceiver.setCodecPreferences?.([...first, ...all.filter(({ mimeType }) => mimeType !== chosen)]);
	}
}

async function publish() {
	const stopped = new AbortController();
	abort = stopped;
	setRunning(true);
	let stream = null;
	try {
		stream = await capture();
		stream.getTracks().forEach((track) => {
			track.addEventListener("ended", () => stopped.abort());
		});
		element("video").srcObject = stream;
		element("mute").onclick = () => mute(stream);
		mute(stream, false);
		await listDevices();
		await keepConnected({
			url: endpointUrl("whip"),
			signal: stopped.signal,
			show,
			prepare: (pc) => addTracks(pc, stream),
		});
	} catch (error) {
		show(`Camera, screen or microphone cannot be used: ${error.message}`);
	} finally {
		stream?.getTracks().forEach((track) => {
			track.stop();
		});
		element("video").srcObject = null;
		setRunning(false);
	}
}

function mute(stream, isMuted = stream.getAudioTracks().some(({ enabled }) => enabled)) {
	for (const track of stream.getAudioTracks()) track.enabled = !isMuted;
	element("mute").textContent = isMuted ? "Unmute" : "Mute";
}

function setRunning(isRunning) {
	element("start").disabled = isRunning;
	element("stop").disabled = !isRunning;
	element("mute").disabled = !isRunning;
}

element("form").addEventListener("submit", (event) => {
	event.preventDefault();
	void publish();
});
element("stop").addEventListener("click", () => abort?.abort());
addEventListener("pagehide", () => abort?.abort());
if (navigator.mediaDevices === undefined) {
	show("This browser gives cameras to pages over HTTPS and on localhost only");
	element("start").disabled = true;
}
navigator.mediaDevices?.addEventListener("devicechange", () => void listDevices());
listCodecs();
void listDevices();
