/** One connection to an RTSP server: requests and their answers, and the frames between them. */

import type { Clock } from "#shared/clock.ts";
import { GoneError, hasCode, ProtocolError, SluiceError } from "#shared/problem.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { statusForServerRequest } from "./client-request.ts";
import type { ServerNoun } from "./client-socket.ts";
import { type RtspRequest, type RtspResponseMessage, writeResponse } from "./message.ts";
import { type RtspHandler, RtspParser } from "./parser.ts";

export type ConnectionHandler = {
	/** An interleaved frame; the bytes hold until this returns. */
	readonly onFrame: (channel: number, bytes: Uint8Array, offset: number, length: number) => void;
	/** Ends what one read brought. */
	readonly onFlush: () => void;
};

type Pending = {
	readonly method: string;
	readonly resolve: (response: RtspResponseMessage) => void;
	readonly reject: (error: SluiceError) => void;
	readonly timer: Disposable;
};

/** Requests that may wait for an answer at the same time: a keep-alive beside a TEARDOWN, and some room. */
const MAX_PENDING = 8;

export class ClientConnection implements RtspHandler, Disposable {
	readonly channel: ByteChannel;
	readonly #clock: Clock;
	readonly #noun: ServerNoun;
	readonly #parser = new RtspParser(this);
	readonly #pending = new Map<number, Pending>();
	readonly #ended = Promise.withResolvers<SluiceError>();
	#handler: ConnectionHandler | null = null;
	#cseq = 0;
	#reason: SluiceError | null = null;

	constructor(channel: ByteChannel, clock: Clock, noun: ServerNoun = "source") {
		this.#noun = noun;
		this.channel = channel;
		this.#clock = clock;
		channel.receive(
			(bytes) => this.#receive(bytes),
			(cause) =>
				this.close(
					new GoneError("session.closed", `The ${noun} closed the connection`, cause === null ? {} : { cause }),
				),
		);
	}

	/** Why it ended. It never rejects. */
	get ended(): Promise<SluiceError> {
		return this.#ended.promise;
	}

	/** To whom frames go from now on; until then they are left out. */
	handle(handler: ConnectionHandler | null): void {
		this.#handler = handler;
	}

	/**
	 * Sends what `write` makes, and waits for the answer, whatever its status.
	 * @throws ProtocolError `rtsp.timeout`, or why the connection ended
	 */
	request(method: string, write: (cseq: number) => Uint8Array, timeoutMs: number): Promise<RtspResponseMessage> {
		if (this.#reason !== null) return Promise.reject(this.#reason);
		if (this.#pending.size >= MAX_PENDING) {
			return Promise.reject(
				new ProtocolError("bytes.limit", `Too many requests wait for an answer of the ${this.#noun}`),
			);
		}
		const cseq = ++this.#cseq;
		const { promise, resolve, reject } = Promise.withResolvers<RtspResponseMessage>();
		const timer = this.#clock.after(timeoutMs, () => {
			this.#pending.delete(cseq);
			reject(new ProtocolError("rtsp.timeout", `The ${this.#noun} did not answer ${method} for ${timeoutMs} ms`));
		});
		this.#pending.set(cseq, { method, resolve, reject, timer });
		this.channel.send(write(cseq));
		return promise;
	}

	send(bytes: Uint8Array): void {
		if (this.#reason === null) this.channel.send(bytes);
	}

	/** Ends the connection and what waits for it. Idempotent. */
	close(reason: SluiceError = new GoneError("session.closed", `The connection to the ${this.#noun} was closed`)): void {
		if (this.#reason !== null) return;
		this.#reason = reason;
		this.#handler = null;
		this.channel.close();
		for (const { reject, timer } of this.#pending.values()) {
			timer[Symbol.dispose]();
			reject(reason);
		}
		this.#pending.clear();
		this.#ended.resolve(reason);
	}

	[Symbol.dispose](): void {
		this.close();
	}

	onFrame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
		this.#handler?.onFrame(channel, bytes, offset, length);
	}

	onRequest({ method, headers }: RtspRequest): void {
		const cseq = headers.get("cseq");
		this.send(
			writeResponse({
				status: statusForServerRequest(method),
				headers: cseq === undefined ? {} : { CSeq: cseq },
			}),
		);
	}

	onResponse(response: RtspResponseMessage): void {
		// RFC 2326 §7.1.1: more follows.
		if (response.status < 200) return;
		const text = response.headers.get("cseq") ?? "";
		// Cameras forget the CSeq; then the answer is to what waits longest. What is of another number comes too late.
		const cseq = /^\d{1,10}$/.test(text) ? Number(text) : this.#pending.keys().next().value;
		const pending = cseq === undefined ? undefined : this.#pending.get(cseq);
		if (cseq === undefined || pending === undefined) return;
		this.#pending.delete(cseq);
		pending.timer[Symbol.dispose]();
		pending.resolve(response);
	}

	#receive(bytes: Uint8Array): void {
		if (this.#reason !== null) return;
		try {
			this.#parser.push(bytes);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			// What a publication throws passes through here, too: it is the reason as it is.
			const isOurs = hasCode(error, "rtsp.malformed", "bytes.limit");
			this.close(
				isOurs
					? new ProtocolError("rtsp.malformed", `The ${this.#noun} cannot be understood: ${error.message}`)
					: error,
			);
			return;
		}
		this.#handler?.onFlush();
	}
}
