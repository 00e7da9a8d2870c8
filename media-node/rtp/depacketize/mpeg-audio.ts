import { u16 } from "../../bytes/big-endian.ts";
import { readMpegAudioHeader } from "../../codecs/mpeg-audio.ts";
import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";
import { cutFrames } from "./cut-frames.ts";
import { FragmentArena } from "./fragment-arena.ts";

const HEADER_BYTES = 4;

/**
 * MPEG-1 and MPEG-2 audio, MP3 among it: one or more whole frames a packet, or a fragment of one.
 *
 *     +--------------+--------------------+------------------------+
 *     | must be zero | fragmentation      | frame, frame, ...      |
 *     | 16           | offset, 16, bytes  | or fragment of one     |
 *     +--------------+--------------------+------------------------+
 *
 * @see RFC 2250 §3.5
 */
export class MpegAudioDepacketizer implements Depacketizer {
	readonly #arena = new FragmentArena();
	/** The size of the frame in work, of which fragments came; 0 when there is none. */
	#frameBytes = 0;
	#rtpTime = 0;
	#nextSequence = -1;
	#dropped = 0;

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, packet: RtpPacket): readonly AccessUnit[] {
		const gap = packet.sequence !== this.#nextSequence;
		this.#nextSequence = (packet.sequence + 1) & 0xffff;
		if (this.#frameBytes > 0 && (gap || packet.timestamp !== this.#rtpTime)) this.#drop();
		if (packet.payloadLength === 0) return NO_UNITS;
		if (packet.payloadLength <= HEADER_BYTES) return this.#drop();

		const payload = bytes.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
		const offset = u16(payload, 2);
		const data = payload.subarray(HEADER_BYTES);
		if (offset > 0 || this.#frameBytes > 0) return this.#addFragment(data, offset, packet.timestamp);

		const frameBytes = frameBytesAt(data, 0);
		if (frameBytes > data.length) {
			this.#frameBytes = frameBytes;
			this.#rtpTime = packet.timestamp;
			return this.#addFragment(data, 0, packet.timestamp);
		}
		const frames = cutFrames(data, frameBytesAt);
		return frames === null ? this.#drop() : [{ rtpTime: packet.timestamp, frames, randomAccess: true }];
	}

	/** Each fragment tells where in the frame it belongs. */
	#addFragment(data: Uint8Array, offset: number, rtpTime: number): readonly AccessUnit[] {
		const length = offset + data.length;
		if (offset !== this.#arena.length || length > this.#frameBytes) return this.#drop();
		this.#arena.append(data, 0, data.length);
		if (length < this.#frameBytes) return NO_UNITS;
		const frame = this.#arena.take();
		this.#reset();
		return [{ rtpTime, frames: [frame], randomAccess: true }];
	}

	#drop(): readonly AccessUnit[] {
		this.#dropped++;
		this.#reset();
		return NO_UNITS;
	}

	#reset(): void {
		this.#frameBytes = 0;
		this.#arena.swap();
	}
}

function frameBytesAt(data: Uint8Array, offset: number): number {
	return readMpegAudioHeader(data, offset)?.frameBytes ?? 0;
}
