/** Answers HTTP requests that are no tunnel: an upgrade to a WebSocket with the subprotocol of ONVIF, or a refusal. */

import http from "node:http";
import type net from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { MAX_HTTP_HEAD_BYTES, type Refusal, writeRefusal } from "./http-head.ts";

/** ONVIF Streaming Specification §5.1.1.5. */
export const SUBPROTOCOL = "rtsp.onvif.org";
/** The largest message of a client: many of the largest interleaved frames. Larger ones end the connection. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

type Opened = (webSocket: WebSocket, socket: net.Socket) => void;

/** Never listens: connections are given to it. Whoever gives them looks after time. */
export class WebSocketEntrance {
	readonly #http: http.Server;
	readonly #webSockets = new WebSocketServer({
		noServer: true,
		clientTracking: false,
		perMessageDeflate: false,
		autoPong: false,
		maxPayload: MAX_MESSAGE_BYTES,
		handleProtocols: () => SUBPROTOCOL,
	});
	readonly #onOpen: Opened;
	/** What is inside, by the name under which node:http hands it back. */
	readonly #inside = new WeakMap<Duplex, net.Socket>();

	constructor(onOpen: Opened) {
		this.#onOpen = onOpen;
		this.#http = http.createServer({ maxHeaderSize: MAX_HTTP_HEAD_BYTES, requestTimeout: 0, headersTimeout: 0 });
		this.#http.on("request", (request) => refuse(request.socket, refusalOf(request)));
		this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
		this.#http.on("clientError", (_, socket) =>
			refuse(socket, { status: 400, sentence: "This is not HTTP as we know it." }),
		);
	}

	/** Takes a connection that stands still, with a request in it. */
	take(socket: net.Socket): void {
		this.#inside.set(socket, socket);
		this.#http.emit("connection", socket);
		socket.resume();
	}

	#upgrade(request: http.IncomingMessage, duplex: Duplex, head: Buffer): void {
		const socket = this.#inside.get(duplex);
		const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
		if (request.headers.upgrade?.toLowerCase() !== "websocket") refuse(duplex, refusalOf(request));
		else if (!protocols.includes(SUBPROTOCOL)) {
			refuse(duplex, { status: 400, sentence: `RTSP over WebSocket needs the subprotocol ${SUBPROTOCOL}.` });
		} else if (socket !== undefined) {
			this.#webSockets.handleUpgrade(request, duplex, head, (webSocket) => this.#onOpen(webSocket, socket));
		}
	}
}

/** Answers, and ends the connection. */
export function refuse(socket: Duplex, refusal: Refusal): void {
	if (socket.writable) socket.end(writeRefusal(refusal));
	socket.resume();
}

function refusalOf({ headers }: http.IncomingMessage): Refusal {
	if (headers["sec-websocket-key"] !== undefined || headers["sec-websocket-protocol"] !== undefined) {
		return {
			status: 426,
			sentence: "RTSP over WebSocket needs the header Upgrade: websocket, which a proxy in between may have removed.",
			headers: { Upgrade: "websocket" },
		};
	}
	if (headers.accept?.includes("application/x-rtsp-tunnelled")) {
		return { status: 400, sentence: "RTSP over HTTP needs the header x-sessioncookie." };
	}
	return {
		status: 404,
		sentence:
			"This is a port of RTSP: open it with an rtsp:// address, over HTTP with an x-sessioncookie, or over WebSocket.",
	};
}
