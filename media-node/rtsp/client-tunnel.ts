/**
 * RTSP through two HTTP connections, as QuickTime does it: what the server says comes as the endless body of a GET, what
 * we say goes as the body of a POST, in base64. Both have the same x-sessioncookie.
 */

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { GoneError, ProtocolError, type SluiceError } from "#shared/problem.ts";
import { type ByteChannel, socketChannel } from "./byte-channel.ts";
import type { ClientAuth } from "./client-auth.ts";
import { USER_AGENT } from "./client-request.ts";
import { closedBy, openSocket, type SocketTarget } from "./client-socket.ts";
import { MAX_HEAD_BYTES, parseHead } from "./message.ts";
import type { SourceUrl } from "./source-url.ts";

const CONTENT_TYPE = "application/x-rtsp-tunnelled";
/** What the POST says its length is. Nobody counts: the body goes on as long as the session. */
const POST_LENGTH = 32_767;

export type TunnelOptions = {
	readonly url: SourceUrl;
	readonly target: SocketTarget;
	/** For HTTP: the conversation inside has its own count of nonces. */
	readonly auth: ClientAuth;
};

/** @throws what {@link openSocket} throws; ProtocolError `rtsp.transport` when the server makes no tunnel */
export async function openHttpTunnel({ url, target, auth }: TunnelOptions, signal: AbortSignal): Promise<ByteChannel> {
	const path = url.requestUrl.replace(/^rtsps?:\/\/[^/?]*/, "").replace(/^(?!\/)/, "/");
	const host = /^rtsps?:\/\/([^/?]*)/.exec(url.requestUrl)?.[1] ?? url.host;
	const head = (method: "GET" | "POST", lines: readonly string[]) => {
		const authorization = auth.authorization(method, path);
		return [
			`${method} ${path} HTTP/1.0`,
			`Host: ${host}`,
			`User-Agent: ${USER_AGENT}`,
			"Pragma: no-cache",
			"Cache-Control: no-cache",
			...(authorization === null ? [] : [`Authorization: ${authorization.replace(/[^\x20-\x7e]/g, "?")}`]),
			...lines,
		]
			.join("\r\n")
			.concat("\r\n\r\n");
	};
	const cookie = `x-sessioncookie: ${randomBytes(11).toString("hex")}`;

	let down: Socket;
	let early: Uint8Array;
	for (let attempt = 1; ; attempt++) {
		down = await openSocket(target, signal);
		try {
			down.write(head("GET", [cookie, `Accept: ${CONTENT_TYPE}`]));
			const answer = await readHttpHead(down, target, signal);
			if (answer.status === 200) {
				early = answer.rest;
				break;
			}
			if (answer.status !== 401 || attempt > 1 || !auth.hasUser || auth.challenged(answer.challenge) === "unknown") {
				throw new ProtocolError(
					"rtsp.transport",
					`The source at ${target.host}:${target.port} makes no RTSP tunnel: it answered GET with status ${answer.status}`,
				);
			}
		} catch (error) {
			down.destroy();
			throw error;
		}
		down.destroy();
	}
	try {
		const up = await openSocket(target, signal);
		up.write(
			head("POST", [
				cookie,
				`Content-Type: ${CONTENT_TYPE}`,
				`Content-Length: ${POST_LENGTH}`,
				"Expires: Sun, 9 Jan 1972 00:00:00 GMT",
			]),
		);
		return tunnelOf(socketChannel(down), socketChannel(up), early);
	} catch (error) {
		down.destroy();
		throw error;
	}
}

function tunnelOf(down: ByteChannel, up: ByteChannel, early: Uint8Array): ByteChannel {
	const close = () => {
		down.close();
		up.close();
	};
	return {
		remoteAddress: down.remoteAddress,
		remotePort: down.remotePort,
		localAddress: down.localAddress,
		get pendingBytes() {
			return up.pendingBytes;
		},
		receive(onData, onEnd) {
			let isEnded = false;
			const end = (cause: Error | null) => {
				if (isEnded) return;
				isEnded = true;
				close();
				onEnd(cause);
			};
			// Some servers answer the POST, which means nothing to us.
			up.receive(() => {}, end);
			down.receive(onData, end);
			if (early.length > 0) onData(early);
		},
		send(bytes) {
			up.send(Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64"), "latin1"));
		},
		close,
	};
}

type HttpAnswer = { readonly status: number; readonly challenge: string; readonly rest: Uint8Array };

/** Reads up to the empty line, and hands the socket back as it was, with what came behind the line apart. */
function readHttpHead(socket: Socket, { host, port, clock, timeoutMs }: SocketTarget, signal: AbortSignal) {
	const where = `${host}:${port}`;
	return new Promise<HttpAnswer>((resolve, reject) => {
		let bytes: Buffer = Buffer.alloc(0);
		const stop = () => {
			timer[Symbol.dispose]();
			signal.removeEventListener("abort", onAbort);
			socket.pause();
			socket.removeListener("data", onData);
			socket.removeListener("close", onClose);
		};
		const fail = (error: SluiceError) => {
			stop();
			reject(error);
		};
		const onAbort = () => fail(new GoneError("aborted", "The operation was stopped before it finished"));
		const onClose = () => fail(closedBy(where));
		const onData = (chunk: Uint8Array) => {
			bytes = Buffer.concat([bytes, chunk]);
			const end = /\r?\n\r?\n/.exec(bytes.toString("latin1"));
			if (end === null) {
				if (bytes.length > MAX_HEAD_BYTES)
					fail(new ProtocolError("bytes.limit", `The source at ${where} sends no HTTP`));
				return;
			}
			stop();
			try {
				// Its form is that of an RTSP response, but for the name of the protocol.
				const head = parseHead(bytes.toString("latin1", 0, end.index).replace(/^HTTP\//, "RTSP/"));
				if (head.kind !== "response") throw new ProtocolError("rtsp.malformed", `The source at ${where} sends no HTTP`);
				const challenge = head.headers.get("www-authenticate") ?? "";
				resolve({ status: head.status, challenge, rest: bytes.subarray(end.index + end[0].length) });
			} catch (error) {
				reject(error);
			}
		};
		const timer = clock.after(timeoutMs, () =>
			fail(new ProtocolError("rtsp.timeout", `The source at ${where} did not answer GET for ${timeoutMs} ms`)),
		);
		signal.addEventListener("abort", onAbort, { once: true });
		// "close" follows.
		socket.on("error", () => {});
		socket.on("close", onClose);
		socket.on("data", onData);
	});
}
