/** The way back from readers to who publishes: what they say is heard there. ONVIF Streaming Specification §5.3. */

import { InputError } from "#shared/problem.ts";
import type { RtpFormat, Track } from "./track.ts";

/** What a publisher hears. */
export type BackChannel = {
	readonly format: RtpFormat & Pick<Track, "codec" | "clockRate">;
	/** One RTP packet, with the numbers of whoever sends it; the bytes hold until this returns. Never throws. */
	write(packet: Uint8Array): void;
	/** What is written from now on comes from another reader. Never throws. */
	begin?(): void;
};

/** The right to talk, for one reader. */
export interface Talk extends Disposable {
	/** The publisher left: nobody hears this any more. */
	readonly isOver: boolean;
	/** See {@link BackChannel.write}. Says nothing to anybody once it is over or disposed. */
	write(packet: Uint8Array): void;
}

/** A back channel as readers see it: one of them talks at a time. */
export interface TalkSeat {
	readonly format: BackChannel["format"];
	/** @throws InputError `path.conflict` while another reader talks */
	talk(): Talk;
}

/** The one seat at the back channel of one publisher. Closed when the publisher leaves. */
export class BackChannelSeat implements TalkSeat, Disposable {
	readonly #channel: BackChannel;
	#talk: Talk | null = null;
	#closed = false;

	constructor(channel: BackChannel) {
		this.#channel = channel;
	}

	get format(): BackChannel["format"] {
		return this.#channel.format;
	}

	talk(): Talk {
		if (this.#talk !== null) throw new InputError("path.conflict", "Somebody talks already; try again later");
		const seat = this;
		const talk: Talk = {
			get isOver() {
				return seat.#closed;
			},
			write: (packet) => {
				if (this.#talk === talk && !this.#closed) this.#channel.write(packet);
			},
			[Symbol.dispose]: () => {
				if (this.#talk === talk) this.#talk = null;
			},
		};
		this.#talk = talk;
		this.#channel.begin?.();
		return talk;
	}

	[Symbol.dispose](): void {
		this.#closed = true;
	}
}
