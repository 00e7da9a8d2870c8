/**
 * Takes an RTSP connection's bytes apart: requests, responses and interleaved frames (RFC 2326 §10.12). Sans-IO. Frames
 * are handed on as places in the bytes that came, without a copy, as long as a read holds them whole.
 */

import { ProtocolError } from "#shared/problem.ts";
import { FrameBuffer } from "../bytes/frame-buffer.ts";
import {
	bodyLength,
	type Head,
	MAX_BODY_BYTES,
	MAX_HEAD_BYTES,
	parseHead,
	type RtspRequest,
	type RtspResponseMessage,
} from "./message.ts";

const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const FRAME_HEADER_BYTES = 4;
/** A frame of the largest size and a read behind it, or a message; whichever is more. */
const MAX_WAITING_BYTES = Math.max(2 * 65_536 + FRAME_HEADER_BYTES, MAX_HEAD_BYTES + MAX_BODY_BYTES) + 65_536;

export interface RtspHandler {
	/** The data of one frame: `length` bytes at `offset`. They hold until this returns. */
	onFrame(channel: number, bytes: Uint8Array, offset: number, length: number): void;
	onRequest(request: RtspRequest): void;
	onResponse(response: RtspResponseMessage): void;
}

export class RtspParser {
	readonly #handler: RtspHandler;
	readonly #waiting = new FrameBuffer(MAX_WAITING_BYTES);
	/** How much of what waits was searched for the end of a head. */
	#searched = 0;
	/** A head whose body is not whole yet. */
	#head: { readonly head: Head; readonly bodyBytes: number } | null = null;

	constructor(handler: RtspHandler) {
		this.#handler = handler;
	}

	/**
	 * Takes what one read brought.
	 * @throws ProtocolError `rtsp.malformed`, `bytes.limit`: the connection cannot be understood from here on
	 */
	push(chunk: Uint8Array): void {
		if (this.#waiting.length === 0) {
			const eaten = this.#parse(chunk, 0, chunk.length);
			if (eaten < chunk.length) this.#waiting.append(chunk.subarray(eaten));
			return;
		}
		this.#waiting.append(chunk);
		const { bytes, offset, length } = this.#waiting;
		this.#waiting.consume(this.#parse(bytes, offset, offset + length) - offset);
	}

	/** Hands on all that is whole, and says where the rest begins. */
	#parse(bytes: Uint8Array, start: number, end: number): number {
		let at = start;
		while (at < end) {
			const next = this.#head === null ? this.#parseOne(bytes, at, end) : this.#parseBody(bytes, at, end);
			if (next === at) break;
			at = next;
		}
		return at;
	}

	/** Where the next item begins; `at` itself when this one is not whole. */
	#parseOne(bytes: Uint8Array, at: number, end: number): number {
		const first = bytes[at];
		if (first === DOLLAR) {
			if (end - at < FRAME_HEADER_BYTES) return at;
			const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
			const data = at + FRAME_HEADER_BYTES;
			if (end - data < length) return at;
			this.#handler.onFrame(bytes[at + 1] as number, bytes, data, length);
			return data + length;
		}
		// Some clients end a body with an empty line that they did not count.
		if (first === CR || first === LF) return at + 1;
		return this.#parseHead(bytes, at, end);
	}

	#parseHead(bytes: Uint8Array, at: number, end: number): number {
		const close = endOfHead(bytes, at + this.#searched, Math.min(end, at + MAX_HEAD_BYTES));
		if (close === -1) {
			if (end - at >= MAX_HEAD_BYTES) {
				throw new ProtocolError("bytes.limit", `The head of an RTSP message has more than ${MAX_HEAD_BYTES} bytes`);
			}
			// The end may be half there.
			this.#searched = Math.max(0, end - at - 3);
			return at;
		}
		this.#searched = 0;
		const head = parseHead(latin1(bytes, at, close).trimEnd());
		this.#head = { head, bodyBytes: bodyLength(head.headers) };
		return this.#head.bodyBytes === 0 ? this.#parseBody(bytes, close, end) : close;
	}

	#parseBody(bytes: Uint8Array, at: number, end: number): number {
		if (this.#head === null || end - at < this.#head.bodyBytes) return at;
		const { head, bodyBytes } = this.#head;
		this.#head = null;
		const body = bodyBytes === 0 ? "" : new TextDecoder().decode(bytes.subarray(at, at + bodyBytes));
		if (head.kind === "response") this.#handler.onResponse({ status: head.status, headers: head.headers, body });
		else this.#handler.onRequest({ method: head.method, url: head.url, headers: head.headers, body });
		return at + bodyBytes;
	}
}

/** The index behind the empty line that ends a head; -1 when there is none. */
function endOfHead(bytes: Uint8Array, from: number, end: number): number {
	for (let at = bytes.indexOf(LF, from); at !== -1 && at + 1 < end; at = bytes.indexOf(LF, at + 1)) {
		if (bytes[at + 1] === LF) return at + 2;
		if (bytes[at + 1] === CR && at + 2 < end && bytes[at + 2] === LF) return at + 3;
	}
	return -1;
}

/** In one go: a string that grows by single characters leaves thirty times its size behind. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
