import { u16 } from "../../bytes/big-endian.ts";
import { BitReader } from "../../bytes/bit-reader.ts";
import type { AacFormat } from "../aac-format.ts";
import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";
import { FragmentArena } from "./fragment-arena.ts";

/**
 * MPEG-4 audio of RFC 3640: one or more whole frames a packet, or a fragment of one. Interleaving is not supported.
 *
 *     +-------------------+-----------+-----------+-----+---------+-----------------------+
 *     | AU headers length | AU header | AU header | ... | padding | frame, frame, ...     |
 *     | 16, in bits       | size|index| size|delta|     |         | or fragment of one    |
 *     +-------------------+-----------+-----------+-----+---------+-----------------------+
 *
 * @see RFC 3640 §3.2
 */
export class AacDepacketizer implements Depacketizer {
	readonly #format: AacFormat;
	readonly #arena = new FragmentArena();
	/** The size of the frame in work, of which fragments came; 0 when there is none. */
	#frameBytes = 0;
	#rtpTime = 0;
	#nextSequence = -1;
	#dropped = 0;

	constructor(format: AacFormat) {
		this.#format = format;
	}

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, packet: RtpPacket): readonly AccessUnit[] {
		const gap = packet.sequence !== this.#nextSequence;
		this.#nextSequence = (packet.sequence + 1) & 0xffff;
		if (this.#frameBytes > 0 && (gap || packet.timestamp !== this.#rtpTime)) this.#drop();
		if (packet.payloadLength === 0) return NO_UNITS;

		const payload = bytes.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
		const sizes = readSizes(payload, this.#format);
		if (sizes === null) return this.#drop();
		const data = payload.subarray(headerBytes(payload));
		const [size] = sizes;
		if (this.#frameBytes > 0 || (sizes.length === 1 && size !== undefined && size > data.length)) {
			return this.#addFragment(data, sizes, packet);
		}
		const frames = cut(data, sizes);
		return frames === null ? this.#drop() : unitsOf(packet.timestamp, frames);
	}

	/** Each fragment has the header of its frame, and so the size of the whole. The marker is on the last one. */
	#addFragment(data: Uint8Array, sizes: readonly number[], packet: RtpPacket): readonly AccessUnit[] {
		if (this.#frameBytes === 0) {
			this.#frameBytes = sizes[0] ?? 0;
			this.#rtpTime = packet.timestamp;
			this.#arena.begin();
		}
		const frameBytes = this.#frameBytes;
		const length = this.#arena.length + data.length;
		const last = length === frameBytes;
		if (sizes.length !== 1 || sizes[0] !== frameBytes || length > frameBytes || (packet.marker && !last)) {
			return this.#drop();
		}
		this.#arena.append(data, 0, data.length);
		if (!last) return NO_UNITS;
		const frame = this.#arena.take();
		this.#reset();
		return unitsOf(packet.timestamp, [frame]);
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

function unitsOf(rtpTime: number, frames: readonly Uint8Array[]): readonly AccessUnit[] {
	return [{ rtpTime, frames, randomAccess: true }];
}

/** Bytes of the AU header section, of a payload that has one. */
function headerBytes(payload: Uint8Array): number {
	return 2 + Math.ceil(u16(payload, 0) / 8);
}

/** The size of each frame, at least one; `null` for a payload that is malformed. */
function readSizes(payload: Uint8Array, { sizeBits, indexBits, indexDeltaBits }: AacFormat): number[] | null {
	if (payload.length < 2 || payload.length < headerBytes(payload)) return null;
	const r = new BitReader(payload.subarray(2, headerBytes(payload)));
	const sizes: number[] = [];
	let left = u16(payload, 0);
	while (left > 0) {
		const orderBits = sizes.length === 0 ? indexBits : indexDeltaBits;
		left -= sizeBits + orderBits;
		if (left < 0) return null;
		const size = r.bits(sizeBits);
		// An index that is not 0 is of a frame out of order.
		if (size === 0 || r.bits(orderBits) !== 0) return null;
		sizes.push(size);
	}
	return sizes.length === 0 ? null : sizes;
}

/** Cuts frames of these sizes, which must take up all of `data`. */
function cut(data: Uint8Array, sizes: readonly number[]): Uint8Array[] | null {
	const frames: Uint8Array[] = [];
	let at = 0;
	for (const size of sizes) {
		frames.push(data.subarray(at, at + size));
		at += size;
	}
	return at === data.length ? frames : null;
}
