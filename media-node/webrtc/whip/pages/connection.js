/** What the player and the publisher have in common: WHIP and WHEP from the side of a browser. */

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 15_000;
const STATS_MS = 1_000;
const DISCONNECTED_MS = 5_000;

/** A failure that shows in the status line. `retryAfterMs`: `null` when the server said nothing. */
class Failure extends Error {
	constructor(message, retryAfterMs = null) {
		super(message);
		this.retryAfterMs = retryAfterMs;
	}
}

/** The endpoint beside this page, with the page's own query: it may hold a token. */
export function endpointUrl(name) {
	const url = new URL(name, location.href);
	url.search = location.search;
	return url;
}

/**
 * Keeps a connection up until `signal` fires: `prepare(pc)` adds media before the offer, `change(sdp)` may alter it,
 * `show(text)` says how it goes, and `live(pc)` is told of each connection.
 */
export async function keepConnected({ url, prepare, change = (sdp) => sdp, live = () => {}, show, signal }) {
	let waitMs = FIRST_WAIT_MS;
	while (!signal.aborted) {
		const began = performance.now();
		try {
			await connectOnce({ url, prepare, change, live, show, signal });
		} catch (error) {
			if (signal.aborted) break;
			if (performance.now() - began > MAX_WAIT_MS) waitMs = FIRST_WAIT_MS;
			const pauseMs = error.retryAfterMs ?? waitMs * (0.75 + Math.random() / 2);
			show(`${error.message} · next try in ${Math.ceil(pauseMs / 1000)} s`);
			await pause(pauseMs, signal);
			waitMs = Math.min(MAX_WAIT_MS, waitMs * 1.6);
		}
	}
	show("stopped");
}

/** One session, from the offer to its end, which is always a failure or the signal. */
async function connectOnce({ url, prepare, change, live, show, signal }) {
	show("connecting");
	const pc = new RTCPeerConnection({ iceServers: await iceServers(url, signal), bundlePolicy: "max-bundle" });
	let session = null;
	try {
		const ended = endOf(pc, signal);
		// It may end before it is waited for below.
		ended.catch(() => undefined);
		await prepare(pc);
		await describe(pc, change);
		const answer = await post(url, pc.localDescription.sdp, signal);
		session = answer.session;
		await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
		live(pc);
		const timer = setInterval(() => void statistics(pc).then((text) => text === "" || show(text)), STATS_MS);
		await ended.finally(() => clearInterval(timer));
	} finally {
		pc.close();
		if (session !== null) fetch(session, { method: "DELETE", keepalive: true }).catch(() => undefined);
	}
}

async function describe(pc, change) {
	const offer = await pc.createOffer();
	try {
		await pc.setLocalDescription({ type: "offer", sdp: change(offer.sdp) });
	} catch {
		// A browser that does not know what was changed says so here.
		await pc.setLocalDescription(offer);
	}
}

/** The server's ICE is passive: it needs no candidates of ours, so the offer goes out before there are any. */
async function post(url, offer, signal) {
	const response = await fetch(url, {
		method: "POST",
		headers: { "content-type": "application/sdp" },
		body: offer,
		signal,
	});
	if (response.status === 201) {
		return { sdp: await response.text(), session: new URL(response.headers.get("location"), response.url) };
	}
	if (response.status === 406 && response.headers.has("location")) throw await refusalOf(response);
	throw await failureOf(response);
}

/** The server offers what the stream has: had the browser known it, it would have said so. */
async function refusalOf(response) {
	const session = new URL(response.headers.get("location"), response.url);
	fetch(session, { method: "DELETE", keepalive: true }).catch(() => undefined);
	const names = [...(await response.text()).matchAll(/^a=rtpmap:\d+ ([^/\r]+)/gm)].map(([, name]) => name);
	const codecs = [...new Set(names.filter((name) => name !== "rtx"))].join(" and ");
	return new Failure(`This browser does not play ${codecs}: publish another codec`);
}

async function failureOf(response) {
	const problem = await response.json().catch(() => ({}));
	const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
	const message = problem.detail ?? `The server answers ${response.status}`;
	return new Failure(message, Number.isFinite(seconds) ? seconds * 1000 : null);
}

/** STUN and TURN servers, which the endpoint tells by headers `Link`. */
async function iceServers(url, signal) {
	const response = await fetch(url, { method: "OPTIONS", signal });
	if (!response.ok) throw await failureOf(response);
	const link = response.headers.get("link") ?? "";
	const text = (part, name) =>
		new RegExp(`; ${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(part)?.[1]?.replaceAll(/\\(.)/g, "$1");
	return link.split(/, (?=<)/).flatMap((part) => {
		const found = /^<([^>]+)>; rel="ice-server"/.exec(part);
		if (found === null) return [];
		const username = text(part, "username");
		return username === undefined
			? [{ urls: found[1] }]
			: [{ urls: found[1], username, credential: text(part, "credential") }];
	});
}

/** Rejects when the connection has failed, and resolves when the signal fires. */
function endOf(pc, signal) {
	const { promise, resolve, reject } = Promise.withResolvers();
	let timer = null;
	pc.addEventListener("connectionstatechange", () => {
		clearTimeout(timer);
		if (pc.connectionState === "failed") reject(new Failure("The connection has failed"));
		if (pc.connectionState !== "disconnected") return;
		timer = setTimeout(() => reject(new Failure("The connection was lost")), DISCONNECTED_MS);
	});
	signal.addEventListener("abort", resolve, { once: true });
	return promise.finally(() => clearTimeout(timer));
}

function pause(ms, signal) {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		signal.addEventListener(
			"abort",
			() => {
				clearTimeout(timer);
				resolve();
			},
			{ once: true },
		);
	});
}

const counters = new WeakMap();

/** A line about what came or went since the last one; empty until there is something to say. */
async function statistics(pc) {
	if (pc.connectionState !== "connected") return "";
	const report = await pc.getStats();
	const before = counters.get(pc) ?? new Map();
	const now = new Map();
	const parts = [];
	let rtt = null;
	report.forEach((entry) => {
		if (entry.type === "candidate-pair" && entry.nominated) rtt = entry.currentRoundTripTime ?? rtt;
		if (entry.type !== "inbound-rtp" && entry.type !== "outbound-rtp") return;
		now.set(entry.id, entry);
		parts.push(streamLine(entry, before.get(entry.id), report));
	});
	counters.set(pc, now);
	if (rtt !== null) parts.push(`RTT ${Math.round(rtt * 1000)} ms`);
	return parts.join(" · ");
}

function streamLine(entry, before, report) {
	const codec = (report.get(entry.codecId)?.mimeType ?? entry.kind).replace(/^\w+\//, "");
	const bytes = (stat) => stat?.bytesReceived ?? stat?.bytesSent ?? 0;
	const seconds = before === undefined ? 0 : (entry.timestamp - before.timestamp) / 1000;
	const rate = seconds > 0 ? Math.round(((bytes(entry) - bytes(before)) * 8) / seconds / 1000) : 0;
	const size = entry.frameWidth === undefined ? "" : ` ${entry.frameWidth}×${entry.frameHeight}`;
	const frames = entry.framesPerSecond === undefined ? "" : ` ${Math.round(entry.framesPerSecond)} fps`;
	const lost = entry.packetsLost > 0 ? ` ${entry.packetsLost} lost` : "";
	return `${codec}${size}${frames} ${rate} kbit/s${lost}`;
}
