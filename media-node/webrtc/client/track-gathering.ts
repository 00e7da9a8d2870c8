/** Which formats a server sends: its answer may allow several, and media that never come. */

import { newRtpPacket, readRtpPacket } from "../../rtp/rtp-packet.ts";
import type { PublishedMedia } from "../sdp/negotiate-publish.ts";

/** What is kept until all formats are known, in packets: a key frame among them. */
export const MAX_KEPT_PACKETS = 1_024;

/** Listens to the first packets, and keeps them for {@link TrackGathering.replay}. */
export class TrackGathering {
	readonly #media: readonly (readonly PublishedMedia[])[];
	readonly #heard = new Map<number, PublishedMedia>();
	readonly #packet = newRtpPacket();
	readonly #kept: Uint8Array[] = [];
	readonly #complete = Promise.withResolvers<void>();
	/** Resolves when something has come of all media. */
	readonly complete: Promise<void> = this.#complete.promise;

	/** Of each media, the formats that it may have. */
	constructor(media: readonly (readonly PublishedMedia[])[]) {
		this.#media = media;
	}

	/** The media that were heard of, in the order of the answer. */
	get tracks(): readonly PublishedMedia[] {
		return this.#media.flatMap((_choices, at) => this.#heard.get(at) ?? []);
	}

	/** Takes a packet in clear. Its bytes are copied. Never throws. */
	rtp(bytes: Uint8Array): void {
		if (!readRtpPacket(this.#packet, bytes, 0, bytes.length)) return;
		if (this.#kept.length < MAX_KEPT_PACKETS) this.#kept.push(bytes.slice());
		const { payloadType } = this.#packet;
		for (const [at, choices] of this.#media.entries()) {
			if (this.#heard.has(at)) continue;
			const choice = choices.find(({ track }) => track.rtp.payloadType === payloadType);
			if (choice !== undefined) this.#heard.set(at, choice);
		}
		if (this.#heard.size === this.#media.length) this.#complete.resolve();
	}

	/** Gives away what was kept. */
	replay(take: (packet: Uint8Array) => void): void {
		for (const packet of this.#kept.splice(0)) take(packet);
	}
}
