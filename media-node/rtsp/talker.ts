/** A reader that talks: what it sends on the back channel goes to the publisher. ONVIF Streaming Specification §5.3. */

import { GoneError, hasCode } from "#shared/problem.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import type { Talk, TalkSeat } from "../stream/back-channel.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import type { Opener } from "./secure.ts";
import type { UnicastTransport } from "./transport.ts";

export type TalkerOptions = {
	readonly stream: ReadableStreamOfPath;
	readonly transport: UnicastTransport;
	/** Decrypts what the reader sends; `null` when it comes in plain. */
	readonly opener: Opener | null;
};

export class Talker implements Disposable {
	readonly transport: UnicastTransport;
	readonly #stream: ReadableStreamOfPath;
	readonly #opener: Opener | null;
	/** What the reader was told to send. */
	readonly #format: TalkSeat["format"];
	readonly #packet = newRtpPacket();
	#talk: Talk | null;

	/** Takes the seat. @throws InputError `path.conflict`; GoneError `stream.not_found` when nobody listens */
	constructor({ stream, transport, opener }: TalkerOptions) {
		const seat = stream.backChannel;
		if (seat === null) throw new GoneError("stream.not_found", `Nobody listens on path ${stream.path}`);
		this.#stream = stream;
		this.#opener = opener;
		this.#format = seat.format;
		this.transport = transport;
		this.#talk = seat.talk();
	}

	/** An interleaved frame of the session; the bytes hold until this returns. */
	frame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
		const { transport } = this;
		if (transport.protocol === "tcp" && channel === transport.channels[0]) this.packet(bytes, offset, length);
	}

	/** An RTP packet, by whatever way it came. What is not of the format is left out. */
	packet(bytes: Uint8Array, offset: number, length: number): void {
		const whole = bytes.subarray(offset, offset + length);
		const plain = this.#opener === null ? whole : this.#opener.openRtp(bytes, offset, length);
		if (plain === null || !readRtpPacket(this.#packet, plain, 0, plain.length)) return;
		if (this.#packet.payloadType === this.#format.payloadType) this.#seat()?.write(plain);
	}

	/** Leaves the seat to others. Idempotent. */
	[Symbol.dispose](): void {
		this.#talk?.[Symbol.dispose]();
		this.#talk = null;
	}

	/** The seat, also at a publisher that came in the place of the one before; `null` while there is none. */
	#seat(): Talk | null {
		if (this.#talk === null || !this.#talk.isOver) return this.#talk;
		const next = this.#stream.backChannel;
		if (next === null || next.format.encoding !== this.#format.encoding || next.format.fmtp !== this.#format.fmtp) {
			return null;
		}
		try {
			this.#talk = next.talk();
		} catch (error) {
			// Another reader was faster: this one is heard when that has left.
			if (!hasCode(error, "path.conflict")) throw error;
			return null;
		}
		return this.#talk;
	}
}
