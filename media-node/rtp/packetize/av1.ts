import { u8 } from "../../bytes/big-endian.ts";
import { AV1_EXTENSION_BIT, AV1_OBU, av1ObuType, isAv1RandomAccess, leb128Bytes, putLeb128 } from "../../codecs/av1.ts";
import { MAX_ACCESS_UNIT_BYTES, type RtpPayload } from "../access-unit.ts";

/** Bits of the aggregation header. */
const GOES_ON = 0x80;
const CONTINUES = 0x40;
const BEGINS_SEQUENCE = 0x08;
/** The most elements that its two bits of W can count. */
const MAX_COUNTED = 3;
/** A shorter fragment is not worth its packet's header: the OBU begins with the next packet. */
const MIN_FRAGMENT_BYTES = 16;

/**
 * Packs the OBUs of a temporal unit, which have no size field: as many as fit together, what does not fit in fragments.
 * Temporal delimiters are left out. RTP Payload Format For AV1 §4 and §5.
 */
export function packetizeAv1(frames: readonly Uint8Array[], maxPayloadBytes: number): RtpPayload[] {
	const obus = frames.filter(
		(obu) => obu.length > 0 && obu.length <= MAX_ACCESS_UNIT_BYTES && av1ObuType(obu) !== AV1_OBU.temporalDelimiter,
	);
	const packet = new PacketInWork(maxPayloadBytes);
	const payloads: Uint8Array[] = [];
	let layer = NO_LAYER;
	for (const obu of obus) {
		const layerOfObu = layerOf(obu);
		// §5: OBUs of one packet must be of one layer.
		if (layer !== NO_LAYER && layerOfObu !== NO_LAYER && layerOfObu !== layer) packet.flush(payloads, false);
		if (layerOfObu !== NO_LAYER) layer = layerOfObu;
		let from = 0;
		while (from < obu.length) {
			const left = obu.length - from;
			const room = packet.roomFor(left);
			if (room < left && room < MIN_FRAGMENT_BYTES) {
				packet.flush(payloads, false);
				continue;
			}
			const part = obu.subarray(from, from + room);
			packet.add(part);
			from += part.length;
			if (from < obu.length) packet.flush(payloads, true);
		}
	}
	packet.flush(payloads, false);
	const [first] = payloads;
	if (first !== undefined && isAv1RandomAccess(obus)) first[0] = u8(first, 0) | BEGINS_SEQUENCE;
	return payloads.map((bytes, i): RtpPayload => ({ bytes, marker: i === payloads.length - 1, ticks: 0 }));
}

const NO_LAYER = -1;

/** The extension header of an OBU: its temporal and its spatial layer. */
function layerOf(obu: Uint8Array): number {
	return u8(obu, 0) & AV1_EXTENSION_BIT && obu.length > 1 ? u8(obu, 1) : NO_LAYER;
}

/** The elements that one packet will have. */
class PacketInWork {
	readonly #maxPayloadBytes: number;
	#parts: Uint8Array[] = [];
	/** Of the aggregation header, and of the elements with a length each. */
	#size = 1;
	#goesOn = false;

	constructor(maxPayloadBytes: number) {
		this.#maxPayloadBytes = maxPayloadBytes;
	}

	/** How many bytes an element of `wanted` bytes may have, as the last one. */
	roomFor(wanted: number): number {
		const left = this.#maxPayloadBytes - this.#size;
		if (this.#parts.length < MAX_COUNTED) return Math.min(wanted, left);
		return Math.min(wanted, left - leb128Bytes(Math.min(wanted, Math.max(left, 0))));
	}

	add(part: Uint8Array): void {
		this.#parts.push(part);
		this.#size += leb128Bytes(part.length) + part.length;
	}

	/** Ends the packet, unless it is empty. `continues`: its last element does, in the next one. */
	flush(payloads: Uint8Array[], continues: boolean): void {
		const parts = this.#parts;
		const last = parts.at(-1);
		if (last === undefined) return;
		const isCounted = parts.length <= MAX_COUNTED;
		const payload = new Uint8Array(this.#size - (isCounted ? leb128Bytes(last.length) : 0));
		payload[0] = (this.#goesOn ? GOES_ON : 0) | (continues ? CONTINUES : 0) | (isCounted ? parts.length << 4 : 0);
		let at = 1;
		for (const part of parts) {
			if (!isCounted || part !== last) at = putLeb128(payload, at, part.length);
			payload.set(part, at);
			at += part.length;
		}
		payloads.push(payload);
		this.#parts = [];
		this.#size = 1;
		this.#goesOn = continues;
	}
}
