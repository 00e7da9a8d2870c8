import { systemClock } from "#shared/clock.ts";
import { iceServersOf } from "./ice-links.ts";

/** A failure that people read. `retryAfterMs`: what the server asks for; `null`: nothing. `isFinal`: trying again is no use. */
export class WhepError extends Error {
	override readonly name = "WhepError";
	readonly retryAfterMs: number | null;
	readonly isFinal: boolean;
	readonly isRefused: boolean;

	constructor(
		message: string,
		{ retryAfterMs = null, isFinal = false, isRefused = false }: Partial<Omit<WhepError, keyof Error>> = {},
	) {
		super(message);
		this.retryAfterMs = retryAfterMs;
		this.isFinal = isFinal;
		this.isRefused = isRefused;
	}
}

export type WhepSessionOptions = {
	/** Of the node, without credentials. */
	readonly endpoint: string;
	readonly token: string;
	readonly onMedia: (media: MediaStream) => void;
	readonly onConnection: (connection: RTCPeerConnection) => void;
	readonly signal: AbortSignal;
};

const REQUEST_TIMEOUT_MS = 10_000;
/** A connection that is lost for so long does not come back by itself. */
const DISCONNECTED_MS = 5_000;

/**
 * One session of WHEP (draft-ietf-wish-whep), from the offer to its end: resolves when `signal` fires, and rejects when
 * the session could not be had or was lost. Takes the session off the server either way.
 * @throws WhepError
 */
export async function watchOnce(options: WhepSessionOptions): Promise<void> {
	const { endpoint, token, signal } = options;
	const servers = iceServersOf((await ask(endpoint, { method: "OPTIONS", token, signal })).headers.get("link"));
	const connection = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
	let session: string | null = null;
	try {
		const ended = endOf(connection, signal);
		receiveInto(connection, options.onMedia);
		await connection.setLocalDescription(await offerOf(connection));
		// The node's ICE is passive: it needs no candidates of ours, so the offer goes out before there are any.
		const body = connection.localDescription?.sdp ?? "";
		const response = await ask(endpoint, { method: "POST", token, signal, body });
		const location = response.headers.get("location");
		session = location === null ? null : new URL(location, response.url).href;
		if (response.status === 406) throw notPlayed(await response.text());
		await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
		options.onConnection(connection);
		await ended;
	} finally {
		// A session ends with its connection, and would be none any more for who asks to end it.
		if (session === null) connection.close();
		else void leave(session, token).finally(() => connection.close());
	}
}

function receiveInto(connection: RTCPeerConnection, onMedia: (media: MediaStream) => void): void {
	const media = new MediaStream();
	connection.addTransceiver("video", { direction: "recvonly" });
	connection.addTransceiver("audio", { direction: "recvonly" });
	connection.addEventListener("track", ({ track }) => {
		media.addTrack(track);
		onMedia(media);
	});
}

/** Asks for both channels of Opus (RFC 7587 §6.1), which browsers do not by themselves. */
async function offerOf(connection: RTCPeerConnection): Promise<RTCSessionDescriptionInit> {
	const { sdp = "" } = await connection.createOffer();
	return { type: "offer", sdp: sdp.replace(/^a=fmtp:\d+ [^\r\n]*useinbandfec=1/m, "$&;stereo=1") };
}

type Question = { method: "OPTIONS" | "POST"; token: string; signal: AbortSignal; body?: string };

async function ask(endpoint: string, { method, token, signal, body }: Question): Promise<Response> {
	const response = await fetch(endpoint, {
		method,
		headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/sdp" }) },
		body: body ?? null,
		signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
	}).catch(() => {
		throw new WhepError(unreachableText(endpoint));
	});
	if (response.ok || (response.status === 406 && response.headers.has("location"))) return response;
	throw await errorOf(response);
}

function unreachableText(endpoint: string): string {
	const { protocol, host } = new URL(endpoint);
	if (location.protocol === "https:" && protocol === "http:") {
		return `The node ${host} speaks plain HTTP, which a page over HTTPS must not ask. Turn on webrtcEncryption, or set webrtcURL.`;
	}
	return `The node ${host} cannot be reached from here.`;
}

async function errorOf(response: Response): Promise<WhepError> {
	const said: unknown = await response.json().catch(() => null);
	const detail = typeof said === "object" && said !== null && "detail" in said ? said.detail : null;
	const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
	return new WhepError(typeof detail === "string" ? detail : `The node answers ${response.status}.`, {
		retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null,
		isRefused: response.status === 401 || response.status === 403,
	});
}

/** The counter-offer has what the stream has: had the browser known it, it would have been offered. */
function notPlayed(offer: string): WhepError {
	const names = [...offer.matchAll(/^a=rtpmap:\d+ ([^/\r\n]+)/gm)].map(([, name]) => name);
	const codecs = [...new Set(names.filter((name) => name !== "rtx"))].join(" and ");
	return new WhepError(`This browser does not play ${codecs} over WebRTC. Watch over HLS, or publish another codec.`, {
		isFinal: true,
	});
}

function endOf(connection: RTCPeerConnection, signal: AbortSignal): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	let patience: Disposable | null = null;
	connection.addEventListener("connectionstatechange", () => {
		patience?.[Symbol.dispose]();
		if (connection.connectionState === "failed") reject(new WhepError("The connection to the node has failed."));
		if (connection.connectionState !== "disconnected") return;
		const giveUp = () => reject(new WhepError("The connection to the node was lost."));
		patience = systemClock.after(DISCONNECTED_MS, giveUp);
	});
	signal.addEventListener("abort", () => resolve(), { once: true });
	const ended = promise.finally(() => patience?.[Symbol.dispose]());
	// It may fail before it is awaited.
	ended.catch(() => undefined);
	return ended;
}

/** Goes out even while the page is being left. Who does not reach the server leaves it to notice by itself. */
async function leave(session: string, token: string): Promise<void> {
	const headers = { authorization: `Bearer ${token}` };
	await fetch(session, { method: "DELETE", keepalive: true, headers }).catch(() => undefined);
}
