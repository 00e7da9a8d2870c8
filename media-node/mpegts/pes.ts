import { u8, u16, u24 } from "../bytes/big-endian.ts";

/** The largest PES packet that is put together: above any access unit that is believed elsewhere. */
export const MAX_PES_BYTES = 8 * 1024 * 1024;
const INITIAL_BYTES = 16 * 1024;
/** From the start code prefix to `PES_packet_length`. */
const START_BYTES = 6;

/** A whole PES packet of an elementary stream. */
export type PesPacket = {
	/** In ticks of 1/90000 s, 33 bits; `null` when the packet does not say. `dts` is `pts` when only that is said. */
	readonly pts: number | null;
	readonly dts: number | null;
	/** Of the elementary stream. Its memory is the packet's own. */
	readonly data: Uint8Array;
	/** The transport packet in which it begins says that a decoder can begin here. */
	readonly randomAccess: boolean;
};

/** Puts the PES packets of one PID together. One of which a part is missing or that is malformed is dropped and counted. */
export class PesAssembler {
	#bytes = new Uint8Array(INITIAL_BYTES);
	#length = 0;
	#active = false;
	#randomAccess = false;
	dropped = 0;

	/** Takes the payload of a transport packet and gives the PES packets that are complete with it. */
	push(payload: Uint8Array, start: boolean, randomAccess: boolean): PesPacket[] {
		const packets: PesPacket[] = [];
		if (start) {
			this.#finish(packets);
			this.#active = true;
			this.#randomAccess = randomAccess;
		}
		if (!this.#active || payload.length === 0) return packets;
		if (this.#length + payload.length > MAX_PES_BYTES) {
			this.drop();
			return packets;
		}
		this.#append(payload);
		const whole = this.#wholeLength();
		if (whole !== null && this.#length >= whole) this.#finish(packets);
		return packets;
	}

	/** The stream ends: gives the packet whose end nothing else tells. */
	end(): PesPacket[] {
		const packets: PesPacket[] = [];
		this.#finish(packets);
		return packets;
	}

	/** Forgets the packet in hand: a part of it was lost. */
	drop(): void {
		if (this.#active) this.dropped++;
		this.#active = false;
		this.#length = 0;
	}

	#append(payload: Uint8Array): void {
		const length = this.#length + payload.length;
		if (length > this.#bytes.length) {
			const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
			grown.set(this.#bytes.subarray(0, this.#length));
			this.#bytes = grown;
		}
		this.#bytes.set(payload, this.#length);
		this.#length = length;
	}

	/** `null` when the next packet tells where this one ends. */
	#wholeLength(): number | null {
		if (this.#length < START_BYTES) return null;
		const length = u16(this.#bytes, 4);
		return length === 0 ? null : START_BYTES + length;
	}

	#finish(packets: PesPacket[]): void {
		if (!this.#active) return;
		const whole = this.#wholeLength();
		const cut = whole !== null && this.#length < whole;
		const packet = cut ? null : parsePes(this.#bytes.slice(0, whole ?? this.#length), this.#randomAccess);
		if (packet === null) {
			this.drop();
			return;
		}
		this.#active = false;
		this.#length = 0;
		if (packet.data.length > 0) packets.push(packet);
	}
}

/** Parses a PES packet, ISO 13818-1 §2.4.3.6; `null` when it is malformed. Never throws. */
function parsePes(bytes: Uint8Array, randomAccess: boolean): PesPacket | null {
	if (bytes.length < START_BYTES || u24(bytes, 0) !== 1) return null;
	if (PLAIN_STREAM_IDS.has(u8(bytes, 3))) {
		return { pts: null, dts: null, data: bytes.subarray(START_BYTES), randomAccess };
	}
	if (bytes.length < 9 || (u8(bytes, 6) & 0xc0) !== 0x80 || (u8(bytes, 6) & 0x30) !== 0) return null;
	const flags = u8(bytes, 7) >> 6;
	const at = 9 + u8(bytes, 8);
	if (at > bytes.length) return null;
	const pts = (flags & 2) !== 0 && at >= 14 ? timestampAt(bytes, 9) : null;
	const dts = flags === 3 && at >= 19 ? timestampAt(bytes, 14) : pts;
	return { pts, dts, data: bytes.subarray(at), randomAccess };
}

/** `stream_id` of packets without a header behind the length: maps, padding, private_stream_2, ECM, EMM and so on. */
const PLAIN_STREAM_IDS: ReadonlySet<number> = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/** 33 bits in five bytes, with marker bits between them. */
function timestampAt(bytes: Uint8Array, at: number): number {
	const high = (u8(bytes, at) >> 1) & 7;
	return high * 2 ** 30 + (u16(bytes, at + 1) >> 1) * 2 ** 15 + (u16(bytes, at + 3) >> 1);
}
