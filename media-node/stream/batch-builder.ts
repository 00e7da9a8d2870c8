import { putU16 } from "../bytes/big-endian.ts";
import { startsRandomAccess } from "../rtp/random-access.ts";
import { patchRtpHeader, RTP_HEADER_BYTES, type RtpPacket, writeRtpHeader } from "../rtp/rtp-packet.ts";
import { INTERLEAVED_HEADER_BYTES, type RtpBatch } from "./rtp-batch.ts";
import type { Track } from "./track.ts";

/** A batch is cut before it grows beyond this: one more than the largest read of a socket fits. */
export const MAX_BATCH_BYTES = 128 * 1024;
/** What a 16-bit length can say. */
export const MAX_PACKET_BYTES = 0xffff;
const INITIAL_BYTES = 8 * 1024;
const MAGIC = 0x24;
/** No time stamp is this. */
const NONE = -1;

/** The track whose key frames readers of packets wait for; `undefined` when they can begin anywhere. */
export function keyTrackOf(tracks: readonly Track[]): Track | undefined {
	// Key frames of a codec that passes through unread are not seen: nobody may wait for them.
	return tracks.find((track) => track.kind === "video" && track.codec.name !== "Generic");
}

/**
 * Collects the packets of one read into one buffer, and gives them away as a batch: an immutable one of exactly its
 * size, or, where nobody keeps it, one that is only lent. A batch ends before a packet that starts a key frame of the first video track, so that every key frame starts a batch.
 */
export class BatchBuilder {
	readonly #emit: (batch: RtpBatch) => void;
	readonly #isKept: () => boolean;
	/** The track whose key frames readers wait for, and its codec; -1 when readers can begin anywhere. */
	readonly #keyTrack: number;
	readonly #keyCodec: Track["codec"]["name"];
	/** Time stamp of the last key frame: its other packets may look like the start of one too, and start nothing. */
	#keyTime = NONE;
	#buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
	#length = 0;
	#packets: number[] = [];
	#randomAccess = false;
	#arrivalMs = 0;

	/**
	 * Each batch goes to `emit`, within the call that completes it. `isKept`, asked before: somebody keeps it for longer
	 * than that. Where nobody does, its bytes are lent, and others take their place as soon as `emit` has returned.
	 */
	constructor(tracks: readonly Track[], emit: (batch: RtpBatch) => void, isKept: () => boolean = always) {
		this.#emit = emit;
		this.#isKept = isKept;
		const video = keyTrackOf(tracks);
		this.#keyTrack = video?.index ?? NONE;
		this.#keyCodec = video?.codec.name ?? "Generic";
	}

	/**
	 * Adds a copy of the packet of `length` bytes at `offset`, up to {@link MAX_PACKET_BYTES}, with the numbers of
	 * `packet`, which was read from it.
	 */
	addPacket(
		track: number,
		bytes: Uint8Array,
		offset: number,
		length: number,
		packet: RtpPacket,
		arrivalMs: number,
	): void {
		const starts =
			track === this.#keyTrack &&
			packet.timestamp !== this.#keyTime &&
			startsRandomAccess(this.#keyCodec, bytes, packet.payloadOffset, packet.payloadLength);
		const at = this.#open(track, length, starts, packet.timestamp, arrivalMs);
		this.#buffer.set(bytes.subarray(offset, offset + length), at);
		this.#buffer[at + 1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
		patchRtpHeader(this.#buffer, at, packet.sequence, packet.timestamp, packet.ssrc);
	}

	/** Adds a packet made of the numbers of `packet` and a payload. `starts`: it is the first one of a key frame. */
	addPayload(track: number, payload: Uint8Array, packet: RtpPacket, starts: boolean, arrivalMs: number): void {
		const begins = starts && track === this.#keyTrack && packet.timestamp !== this.#keyTime;
		const at = this.#open(track, RTP_HEADER_BYTES + payload.length, begins, packet.timestamp, arrivalMs);
		writeRtpHeader(this.#buffer, at, packet);
		this.#buffer.set(payload, at + RTP_HEADER_BYTES);
	}

	/** Gives away what was collected, if anything. */
	flush(): void {
		if (this.#length === 0) return;
		const bytes = this.#isKept() ? this.#copy() : Buffer.from(this.#buffer.buffer, 0, this.#length);
		const batch = {
			bytes,
			packets: this.#packets,
			randomAccess: this.#randomAccess || this.#keyTrack === NONE,
			arrivalMs: this.#arrivalMs,
		};
		this.#length = 0;
		this.#packets = [];
		this.#randomAccess = false;
		this.#emit(batch);
	}

	/**
	 * A buffer of its own, of exactly its size: whoever keeps a small batch keeps no more. And a `Buffer`, for a socket
	 * would wrap anything else again for each reader.
	 */
	#copy(): Buffer {
		const bytes = Buffer.allocUnsafeSlow(this.#length);
		bytes.set(this.#buffer.subarray(0, this.#length));
		return bytes;
	}

	/** Makes room for a packet of `length` bytes behind its interleaved header, and says where it goes. */
	#open(track: number, length: number, starts: boolean, timestamp: number, arrivalMs: number): number {
		const needed = INTERLEAVED_HEADER_BYTES + length;
		if (starts || this.#length + needed > MAX_BATCH_BYTES) this.flush();
		if (starts) {
			this.#randomAccess = true;
			this.#keyTime = timestamp;
		}
		if (this.#length === 0) this.#arrivalMs = arrivalMs;
		if (this.#length + needed > this.#buffer.length) this.#grow(this.#length + needed);
		const at = this.#length;
		this.#buffer[at] = MAGIC;
		this.#buffer[at + 1] = 2 * track;
		putU16(this.#buffer, at + 2, length);
		this.#packets.push(track, at + INTERLEAVED_HEADER_BYTES, length);
		this.#length += needed;
		return at + INTERLEAVED_HEADER_BYTES;
	}

	#grow(needed: number): void {
		const size = Math.min(MAX_BATCH_BYTES, Math.max(needed, 2 * this.#buffer.length, INITIAL_BYTES));
		const buffer = new Uint8Array(size);
		buffer.set(this.#buffer.subarray(0, this.#length));
		this.#buffer = buffer;
	}
}

function always(): boolean {
	return true;
}
