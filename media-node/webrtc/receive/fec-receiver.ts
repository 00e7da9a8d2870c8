import { addToFecSum, type FecSum, newFecSum, packetOfFecSum } from "../../rtp/fec-sum.ts";
import { readFlexfec } from "../../rtp/flexfec.ts";
import { newRtpPacket, type RtpPacket, readRtpPacket } from "../../rtp/rtp-packet.ts";
import { readUlpfec } from "../../rtp/ulpfec.ts";
import type { ExtensionIds } from "../sdp/header-extensions.ts";
import { FecWindow, type Kept, makeRoom, zeroMutableExtensions } from "./fec-window.ts";
import { readPictureNumber } from "./picture-number.ts";

/** FEC packets that wait for others of what they protect. */
export const MAX_WAITING_FEC = 32;
/** So long after the last FEC packet nothing is kept any more. */
export const FEC_SILENT_MS = 5_000;

export type FecReceiverOptions = {
	/** Of the media. */
	readonly ssrc: number;
	readonly codec: string;
	/** Of the media. */
	readonly payloadType: number;
	readonly extensions: ExtensionIds;
	/** Takes a whole packet that was recovered, with its header extension. Its bytes are its own. */
	readonly onRecovered: (bytes: Uint8Array) => void;
	/** Nothing of the media has this number, for it is that of a FEC packet that did not come. */
	readonly onNotMedia: (sequence: number) => void;
};

/** No packet is missing of those that a FEC packet protects, or more than it can make. */
const NONE = -1;
const SEVERAL = -2;

type Waiting = { readonly sum: FecSum; sequences: readonly number[] };

/** Makes packets of one source that did not come from those that did, and from what protects them. */
export class FecReceiver {
	readonly #options: FecReceiverOptions;
	readonly #window = new FecWindow();
	readonly #waiting: Waiting[] = [];
	readonly #spare: Waiting[] = [];
	readonly #packet = newRtpPacket();
	#lastFecMs = Number.NEGATIVE_INFINITY;
	/** The FEC packets are among those of the media: numbers may be of either. */
	#isShared = false;
	/** Packets that were recovered, and FEC packets that came, of which some could not be read. */
	recovered = 0;
	received = 0;
	malformed = 0;

	constructor(options: FecReceiverOptions) {
		this.#options = options;
	}

	get ssrc(): number {
		return this.#options.ssrc;
	}

	/** `false`: nothing is protected now, and {@link keep} and {@link repair} do nothing. */
	isActive(nowMs: number): boolean {
		return nowMs - this.#lastFecMs < FEC_SILENT_MS;
	}

	/**
	 * Keeps a packet of the media, which `packet` was read from, without RED: it begins at `offset`, and the payload with
	 * what padding it has ends at `end`. `asSent`: the bytes are those that the sender protected, which they are not in a
	 * retransmission.
	 */
	keep(packet: RtpPacket, bytes: Uint8Array, offset: number, headerEnd: number, end: number, asSent: boolean): void {
		const kept = this.#window.place(packet.sequence);
		if (kept === null) return;
		kept.marker = packet.marker;
		readPictureNumber(kept.picture, this.#options.codec, bytes, packet.payloadOffset, packet.payloadLength);
		if (asSent) {
			const header = headerEnd - offset;
			const out = makeRoom(kept, header + end - packet.payloadOffset);
			out.set(bytes.subarray(offset, headerEnd));
			out.set(bytes.subarray(packet.payloadOffset, end), header);
			out[1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
			zeroMutableExtensions(out, kept.length, this.#options.extensions);
		}
		if (this.#isShared) this.#tellNotMedia(kept);
	}

	/** Takes a FEC packet of RFC 5109, which took the number `sequence` of the media. */
	ulpfec(sequence: number, bytes: Uint8Array, at: number, length: number, nowMs: number): void {
		this.#isShared = true;
		this.#take(nowMs, (sum) => readUlpfec(sum, bytes, at, length));
		const kept = this.#window.place(sequence);
		if (kept !== null) kept.isFec = true;
	}

	/** Takes a FEC packet of another source. */
	flexfec(bytes: Uint8Array, at: number, length: number, nowMs: number): void {
		this.#take(nowMs, (sum) => readFlexfec(sum, bytes, at, length)?.sequences ?? null);
	}

	/** Recovers what can be. To be called after packets that came were given on. */
	repair(): void {
		for (let progress = true; progress; ) {
			progress = false;
			for (let i = this.#waiting.length - 1; i >= 0; i--) {
				const waiting = this.#waiting[i];
				if (waiting === undefined) continue;
				const missing = this.#missingOf(waiting);
				if (missing === SEVERAL) continue;
				this.#waiting.splice(i, 1);
				this.#spare.push(waiting);
				if (missing !== NONE && this.#recover(waiting, missing)) progress = true;
			}
		}
	}

	#take(nowMs: number, read: (sum: FecSum) => readonly number[] | null): void {
		this.received++;
		// What was kept before has gaps.
		if (!this.isActive(nowMs)) this.#window.clear();
		this.#lastFecMs = nowMs;
		const oldest = this.#waiting.length >= MAX_WAITING_FEC ? this.#waiting.shift() : undefined;
		const waiting: Waiting = oldest ?? this.#spare.pop() ?? { sum: newFecSum(), sequences: [] };
		const sequences = read(waiting.sum);
		if (sequences === null) {
			this.malformed++;
			this.#spare.push(waiting);
			return;
		}
		waiting.sequences = sequences;
		this.#waiting.push(waiting);
	}

	/** The only packet of those protected whose bytes are missing. */
	#missingOf({ sequences }: Waiting): number {
		let missing = NONE;
		for (const sequence of sequences) {
			const kept = this.#window.find(sequence);
			if (kept !== null && kept.length > 0) continue;
			// It will never be whole.
			if (this.#window.isOld(sequence)) return NONE;
			if (missing !== NONE) return SEVERAL;
			missing = sequence;
		}
		// It came by another way.
		return missing !== NONE && this.#window.find(missing) !== null ? NONE : missing;
	}

	#recover({ sum, sequences }: Waiting, missing: number): boolean {
		for (const sequence of sequences) {
			const kept = sequence === missing ? null : this.#window.find(sequence);
			if (kept !== null && !addToFecSum(sum, kept.bytes, 0, kept.length)) return false;
		}
		const bytes = packetOfFecSum(sum, missing, this.#options.ssrc);
		const packet = this.#packet;
		if (bytes === null || !readRtpPacket(packet, bytes, 0, bytes.length)) return false;
		if (packet.payloadType !== this.#options.payloadType) return false;
		this.keep(packet, bytes, 0, packet.payloadOffset, bytes.length, true);
		this.recovered++;
		this.#options.onRecovered(bytes);
		return true;
	}

	#tellNotMedia(kept: Kept): void {
		for (const sequence of this.#window.notMedia(kept)) {
			const place = this.#window.place(sequence);
			if (place === null) continue;
			place.isFec = true;
			this.#options.onNotMedia(sequence);
		}
	}
}
