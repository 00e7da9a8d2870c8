import { putU16 } from "../../bytes/big-endian.ts";
import type { Packetizer, RtpPayload } from "../access-unit.ts";

/** What differs between the payload formats of H.264 and H.265. */
export type NalPacketFormat = {
	/** Of a NAL unit, and of an aggregation packet before its units. */
	readonly headerBytes: number;
	/** Of each fragment. */
	readonly fragmentHeaderBytes: number;
	/** Writes the header of an aggregation packet of `nals`. */
	readonly writeAggregateHeader: (payload: Uint8Array, nals: readonly Uint8Array[]) => void;
	/** Writes the header of a fragment of `nal`. */
	readonly writeFragmentHeader: (payload: Uint8Array, nal: Uint8Array, first: boolean, last: boolean) => void;
};

/** Bytes of a unit's length in an aggregation packet. */
const SIZE_BYTES = 2;

/**
 * Packs the NAL units of an access unit: small ones that follow each other together, large ones in fragments, of which
 * all but the last have the same size. The marker is on the last payload. What is too short to be a NAL unit is left out.
 */
export function nalPacketizer(format: NalPacketFormat): Packetizer {
	return (frames, maxPayloadBytes) => {
		const payloads: Uint8Array[] = [];
		let together: Uint8Array[] = [];
		let size = format.headerBytes;
		const flush = () => {
			if (together.length > 0) payloads.push(aggregate(format, together, size));
			together = [];
			size = format.headerBytes;
		};
		for (const nal of frames) {
			if (nal.length < format.headerBytes) continue;
			if (size + SIZE_BYTES + nal.length > maxPayloadBytes) flush();
			if (nal.length > maxPayloadBytes) {
				addFragments(format, payloads, nal, maxPayloadBytes);
			} else {
				together.push(nal);
				size += SIZE_BYTES + nal.length;
			}
		}
		flush();
		return payloads.map((bytes, i): RtpPayload => ({ bytes, marker: i === payloads.length - 1, ticks: 0 }));
	};
}

/** One NAL unit as it is, or several in an aggregation packet of `size` bytes. */
function aggregate(format: NalPacketFormat, nals: readonly Uint8Array[], size: number): Uint8Array {
	const [only] = nals;
	if (only !== undefined && nals.length === 1) return only;
	const payload = new Uint8Array(size);
	format.writeAggregateHeader(payload, nals);
	let at = format.headerBytes;
	for (const nal of nals) {
		putU16(payload, at, nal.length);
		payload.set(nal, at + SIZE_BYTES);
		at += SIZE_BYTES + nal.length;
	}
	return payload;
}

function addFragments(
	{ headerBytes, fragmentHeaderBytes, writeFragmentHeader }: NalPacketFormat,
	payloads: Uint8Array[],
	nal: Uint8Array,
	maxPayloadBytes: number,
): void {
	const room = maxPayloadBytes - fragmentHeaderBytes;
	const count = Math.ceil((nal.length - headerBytes) / room);
	const all = new Uint8Array(nal.length - headerBytes + count * fragmentHeaderBytes);
	let to = 0;
	for (let from = headerBytes; from < nal.length; from += room) {
		const part = nal.subarray(from, from + room);
		const payload = all.subarray(to, to + fragmentHeaderBytes + part.length);
		writeFragmentHeader(payload, nal, from === headerBytes, from + room >= nal.length);
		payload.set(part, fragmentHeaderBytes);
		payloads.push(payload);
		to += payload.length;
	}
}
