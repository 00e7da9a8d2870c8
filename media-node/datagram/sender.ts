/** Whom a socket believes that anybody can send to. */

import type { Clock } from "#shared/clock.ts";

/**
 * Believes the first sender that there is, and nobody else until that one was silent for a while. For RTP a sender is
 * one synchronization source of one address: RFC 3550 §8.2 has the same rule.
 */
export class TrustedSender {
	readonly #clock: Clock;
	readonly #silenceMs: number;
	#address = "";
	#port = 0;
	/** `null` outside RTP. */
	#ssrc: number | null = null;
	#heardMs = Number.NEGATIVE_INFINITY;
	/** Packets of others, which were left out. */
	strangers = 0;

	/** `silenceMs`: after so long, another may take over. */
	constructor(clock: Clock, silenceMs: number) {
		this.#clock = clock;
		this.#silenceMs = silenceMs;
	}

	/** Host and port of who is believed; empty when nobody is. */
	get name(): string {
		if (this.#address === "") return "";
		return this.#address.includes(":") ? `[${this.#address}]:${this.#port}` : `${this.#address}:${this.#port}`;
	}

	/** Takes note of a packet, and says whose it is: those of a `stranger` do not count, a `new` sender begins anew. */
	hears(address: string, port: number, ssrc: number | null): "known" | "new" | "stranger" {
		const nowMs = this.#clock.monotonic();
		if (this.isOf(address, port, ssrc)) {
			this.#heardMs = nowMs;
			return "known";
		}
		if (nowMs - this.#heardMs < this.#silenceMs) {
			this.strangers++;
			return "stranger";
		}
		this.#address = address;
		this.#port = port;
		this.#ssrc = ssrc;
		this.#heardMs = nowMs;
		return "new";
	}

	/** Says whether a packet would be of who is believed. */
	isOf(address: string, port: number, ssrc: number | null): boolean {
		return this.#address === address && this.#port === port && this.#ssrc === ssrc;
	}

	/** Says whether something is from the host, and of the source, that is believed: reports come from another port. */
	is(address: string, ssrc: number): boolean {
		return this.#address === address && this.#ssrc === ssrc;
	}

	/** The sender said that it goes: the next one is believed at once. */
	forget(): void {
		this.#address = "";
		this.#ssrc = null;
		this.#heardMs = Number.NEGATIVE_INFINITY;
	}
}
