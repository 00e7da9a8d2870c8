/** Brings the GET and the POSTs of a tunnel over HTTP together: they carry the same `x-sessioncookie`. */

import type net from "node:net";
import type { Clock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";
import type { HttpHead, Refusal } from "./http-head.ts";
import { HttpTunnelWire } from "./http-tunnel-wire.ts";
import type { Origin } from "./socket-wire.ts";
import type { Wire } from "./wire.ts";

/** Tunnels whose POST has not come; more are refused. Each is given up after the front door's time-out. */
export const MAX_WAITING_TUNNELS = 1024;
export const MAX_COOKIE_CHARS = 128;

/** HTTP/1.0, as Apple's server answers: some clients compare this line as a whole. */
const GET_ANSWER = [
	"HTTP/1.0 200 OK",
	"Content-Type: application/x-rtsp-tunnelled",
	"Cache-Control: no-store",
	"Pragma: no-cache",
	"Connection: close",
	"\r\n",
].join("\r\n");
/** Apple's server never answers a POST. Some clients wait for it before they send the body; others do not read it. */
const POST_ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** A request of a tunnel whose head was read. `socket` stands still, with the body in it. */
export type TunnelRequest = { readonly socket: net.Socket; readonly origin: Origin; readonly head: HttpHead };

export type TunnelHost = {
	readonly clock: Clock;
	readonly log: Logger;
	/** The socket is part of a wire from now on. */
	leave(socket: net.Socket): void;
	/** A connection that is part of a wire brings another request: its first bytes stand in `socket`. */
	again(socket: net.Socket, origin: Origin): void;
	onWire(wire: Wire): void;
};

export class HttpTunnels {
	readonly #host: TunnelHost;
	/** By cookie: the GETs whose POST has not come. */
	readonly #waiting = new Map<string, TunnelRequest>();
	/** By cookie. */
	readonly #open = new Map<string, HttpTunnelWire>();

	constructor(host: TunnelHost) {
		this.#host = host;
	}

	/** Takes a GET or POST with an `x-sessioncookie`; or says why not. */
	take(request: TunnelRequest): Refusal | null {
		const cookie = request.head.headers.get("x-sessioncookie") ?? "";
		if (cookie === "" || cookie.length > MAX_COOKIE_CHARS) {
			return { status: 400, sentence: `The x-sessioncookie must have 1 to ${MAX_COOKIE_CHARS} characters.` };
		}
		return request.head.method === "GET" ? this.#get(request, cookie) : this.#post(request, cookie);
	}

	#get(request: TunnelRequest, cookie: string): Refusal | null {
		if (this.#waiting.has(cookie) || this.#open.has(cookie)) {
			return {
				status: 400,
				sentence: "Another tunnel uses this x-sessioncookie; choose a random one for each tunnel.",
			};
		}
		if (this.#waiting.size >= MAX_WAITING_TUNNELS) {
			return { status: 503, sentence: "Too many tunnels wait for their POST; try again in a few seconds." };
		}
		const { socket } = request;
		this.#waiting.set(cookie, request);
		socket.once("close", () => {
			if (this.#waiting.get(cookie) === request) this.#waiting.delete(cookie);
			else this.#open.delete(cookie);
		});
		socket.write(GET_ANSWER);
		// A GET has no body. Reading shows when the client leaves.
		socket.resume();
		return null;
	}

	#post({ socket, origin, head }: TunnelRequest, cookie: string): Refusal | null {
		const length = head.headers.get("content-length");
		if (head.headers.has("transfer-encoding") || (length !== undefined && !/^\d{1,15}$/.test(length))) {
			return {
				status: 400,
				sentence: "The POST of a tunnel must have a Content-Length or none, and no Transfer-Encoding.",
			};
		}
		const wire = this.#open.get(cookie) ?? this.#opened(cookie);
		if (wire === null) {
			return {
				status: 400,
				sentence: "No GET with this x-sessioncookie is open; send the GET first, and wait for its answer.",
			};
		}
		const declaredBytes = length === undefined ? null : Number(length);
		const next = () => this.#host.again(socket, origin);
		if (!wire.receive({ socket, declaredBytes, next })) {
			return { status: 503, sentence: "Another POST of this tunnel waits already." };
		}
		socket.write(POST_ANSWER);
		this.#host.leave(socket);
		return null;
	}

	/** The wire of a GET that waits for its first POST. */
	#opened(cookie: string): HttpTunnelWire | null {
		const get = this.#waiting.get(cookie);
		if (get === undefined) return null;
		this.#waiting.delete(cookie);
		const wire = new HttpTunnelWire(get.socket, get.origin, this.#host.clock, this.#host.log);
		this.#open.set(cookie, wire);
		this.#host.leave(get.socket);
		this.#host.onWire(wire);
		return wire;
	}
}
