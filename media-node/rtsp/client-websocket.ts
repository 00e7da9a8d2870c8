/** RTSP through a WebSocket that we open (ONVIF Streaming Specification §5.1.1.5): messages of RTSP bytes, cut anywhere. */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type RawData, WebSocket } from "ws";
import { unmapped } from "#shared/access/ip-range.ts";
import { abortedError } from "#shared/clock.ts";
import { ProtocolError, SluiceError } from "#shared/problem.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { USER_AGENT } from "./client-request.ts";
import { closedBy, openSocket } from "./client-socket.ts";
import type { TunnelOptions } from "./client-tunnel.ts";
import { SUBPROTOCOL } from "./websocket-entrance.ts";

/** The largest message of a server: the packets of many key frames. Larger ones end the connection. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** What the server answers who is not known. */
type Challenge = { readonly challenge: string };

/** @throws what {@link openSocket} throws; ProtocolError `rtsp.transport` when the server makes no WebSocket of this kind */
export async function openWebSocket(options: TunnelOptions, signal: AbortSignal): Promise<ByteChannel> {
	const { auth, target } = options;
	for (let attempt = 1; ; attempt++) {
		const found = await upgrade(options, signal);
		if (!("challenge" in found)) return found;
		if (attempt > 1 || !auth.hasUser || auth.challenged(found.challenge) === "unknown") {
			throw noWebSocket(`${target.host}:${target.port}`, "it answered with status 401");
		}
	}
}

function noWebSocket(where: string, why: string): ProtocolError {
	return new ProtocolError("rtsp.transport", `The source at ${where} makes no RTSP WebSocket: ${why}`);
}

/** One attempt, over a connection of its own. */
async function upgrade({ url, target, auth }: TunnelOptions, signal: AbortSignal): Promise<ByteChannel | Challenge> {
	const { clock, timeoutMs } = target;
	const where = `${target.host}:${target.port}`;
	const [, place = "", rest = ""] = /^rtsps?:\/\/([^/?]*)(.*)$/.exec(url.requestUrl) ?? [];
	const path = rest.replace(/^(?!\/)/, "/");
	const authorization = auth.authorization("GET", path);
	const socket = await openSocket(target, signal);
	let webSocket: WebSocket;
	try {
		// TLS is done already, with the trust that was configured.
		webSocket = new WebSocket(`ws://${place}${path}`, SUBPROTOCOL, {
			createConnection: () => socket,
			perMessageDeflate: false,
			followRedirects: false,
			maxPayload: MAX_MESSAGE_BYTES,
			headers: {
				"User-Agent": USER_AGENT,
				...(authorization === null ? {} : { Authorization: authorization.replace(/[^\x20-\x7e]/g, "?") }),
			},
		});
	} catch (cause) {
		socket.destroy();
		throw new ProtocolError("rtsp.transport", `The URL of the source at ${where} is none of a WebSocket`, { cause });
	}
	return new Promise((resolve, reject) => {
		const stop = () => {
			timer[Symbol.dispose]();
			signal.removeEventListener("abort", onAbort);
		};
		const fail = (error: unknown) => {
			stop();
			webSocket.terminate();
			socket.destroy();
			reject(error);
		};
		const onAbort = () => fail(abortedError(signal));
		const timer = clock.after(timeoutMs, () =>
			fail(new ProtocolError("rtsp.timeout", `The source at ${where} did not answer GET for ${timeoutMs} ms`)),
		);
		signal.addEventListener("abort", onAbort, { once: true });
		if (signal.aborted) onAbort();
		// It stays for the whole life of the WebSocket, which says by "close" that it is over.
		webSocket.on("error", (cause) => fail(failureOf(where, cause)));
		webSocket.once("close", () => fail(closedBy(where)));
		webSocket.once("unexpected-response", (_request, response: IncomingMessage) => {
			const { statusCode = 0, headers } = response;
			if (statusCode === 401) resolve({ challenge: headers["www-authenticate"] ?? "" });
			fail(noWebSocket(where, `it answered with status ${statusCode}`));
		});
		webSocket.once("open", () => {
			stop();
			resolve(channelOf(webSocket, socket));
		});
	});
}

function failureOf(where: string, cause: Error & { readonly code?: string }): SluiceError {
	if (cause instanceof SluiceError) return cause;
	// What the package says of an answer that is none of its protocol, such as another subprotocol, has no code.
	if (cause.code === "ECONNRESET" || cause.code === "EPIPE") return closedBy(where);
	return noWebSocket(where, cause.message);
}

/** `webSocket` is open, and nothing was read of it yet. */
function channelOf(webSocket: WebSocket, socket: Socket): ByteChannel {
	let isClosed = false;
	let cause: Error | null = null;
	// Messages come in the turn in which it opened: those from before anybody listens wait here.
	let early: Uint8Array[] | null = [];
	let deliver = (bytes: Uint8Array): void => void early?.push(bytes);
	let end: (() => void) | null = null;
	webSocket.on("message", (data: RawData) => {
		if (!isClosed && data instanceof Uint8Array) deliver(data);
	});
	webSocket.on("error", (error) => {
		cause = error;
	});
	webSocket.on("close", () => end?.());
	return {
		remoteAddress: unmapped(socket.remoteAddress ?? ""),
		remotePort: socket.remotePort ?? 0,
		localAddress: unmapped(socket.localAddress ?? ""),
		get pendingBytes() {
			return webSocket.bufferedAmount;
		},
		receive(onData, onEnd) {
			end = () => {
				if (!isClosed) onEnd(cause);
				isClosed = true;
			};
			deliver = onData;
			for (const bytes of early ?? []) if (!isClosed) onData(bytes);
			early = null;
			if (webSocket.readyState === WebSocket.CLOSED) end();
		},
		send(bytes) {
			if (webSocket.readyState === WebSocket.OPEN) webSocket.send(bytes, { binary: true });
		},
		close() {
			isClosed = true;
			webSocket.terminate();
		},
	};
}
