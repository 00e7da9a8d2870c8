import { u8 } from "../../bytes/big-endian.ts";
import { readAc3Header } from "../../codecs/ac3.ts";
import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";
import { cutFrames } from "./cut-frames.ts";
import { FragmentArena } from "./fragment-arena.ts";

const HEADER_BYTES = 2;
/** Frame types, RFC 4184 §4.1.1. Types 1 and 2 are first fragments, with and without 5/8 of the frame. */
const WHOLE_FRAMES = 0;
const LATER_FRAGMENT = 3;

/**
 * AC-3: one or more whole frames a packet, or a fragment of one.
 *
 *     +------+------------+----------------------------+------------------------+
 *     | zero | frame type | frames, or fragments of    | frame, frame, ...      |
 *     | 6    | 2          | the frame, 8               | or fragment of one     |
 *     +------+------------+----------------------------+------------------------+
 *
 * @see RFC 4184 §4
 */
export class Ac3Depacketizer implements Depacketizer {
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
		const type = u8(payload, 0) & 3;
		const data = payload.subarray(HEADER_BYTES);
		if ((type === LATER_FRAGMENT) !== this.#frameBytes > 0) return this.#drop();
		if (type === WHOLE_FRAMES) {
			const frames = cutFrames(data, frameBytesAt);
			return frames === null ? this.#drop() : [{ rtpTime: packet.timestamp, frames, randomAccess: true }];
		}
		if (type !== LATER_FRAGMENT) {
			this.#frameBytes = frameBytesAt(data, 0);
			this.#rtpTime = packet.timestamp;
		}
		return this.#addFragment(data, packet);
	}

	/** The marker is on the last one. */
	#addFragment(data: Uint8Array, { timestamp, marker }: RtpPacket): readonly AccessUnit[] {
		const length = this.#arena.length + data.length;
		const last = length === this.#frameBytes;
		if (length > this.#frameBytes || (marker && !last)) return this.#drop();
		this.#arena.append(data, 0, data.length);
		if (!last) return NO_UNITS;
		const frame = this.#arena.take();
		this.#reset();
		return [{ rtpTime: timestamp, frames: [frame], randomAccess: true }];
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
	return readAc3Header(data, offset)?.frameBytes ?? 0;
}
