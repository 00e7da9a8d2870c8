import { u8, u16 } from "../bytes/big-endian.ts";

/** Bytes of a transport packet, ISO 13818-1 §2.4.3.2. */
export const TS_PACKET_BYTES = 188;
export const SYNC_BYTE = 0x47;
/** The PID of stuffing. */
export const NULL_PID = 0x1fff;

/** The header of a transport packet and where its payload is. */
export type TsPacket = {
	readonly pid: number;
	/** A section or a PES packet begins in the payload. */
	readonly start: boolean;
	/** 0 to 15. */
	readonly continuity: number;
	/** The payload, which may be empty. */
	readonly payload: Uint8Array;
	/** The continuity counter begins anew here. */
	readonly discontinuity: boolean;
	/** The encoder put a random access point here. */
	readonly randomAccess: boolean;
};

/**
 * Parses the transport packet of {@link TS_PACKET_BYTES} at `offset`, ISO 13818-1 §2.4.3. `null` for one that is marked
 * as damaged, is scrambled, or whose adaptation field does not fit. Never throws.
 */
export function parseTsPacket(bytes: Uint8Array, offset: number): TsPacket | null {
	const flags = u16(bytes, offset + 1);
	const control = u8(bytes, offset + 3);
	if ((flags & 0x8000) !== 0 || (control & 0xc0) !== 0) return null; // transport_error_indicator, scrambling
	const end = offset + TS_PACKET_BYTES;
	let at = offset + 4;
	let field = 0;
	if ((control & 0x20) !== 0) {
		const length = u8(bytes, at);
		at += 1 + length;
		if (at > end) return null;
		if (length > 0) field = u8(bytes, offset + 5);
	}
	const hasPayload = (control & 0x10) !== 0;
	return {
		pid: flags & 0x1fff,
		start: (flags & 0x4000) !== 0,
		continuity: control & 0x0f,
		payload: hasPayload ? bytes.subarray(at, end) : NO_BYTES,
		discontinuity: (field & 0x80) !== 0,
		randomAccess: (field & 0x40) !== 0,
	};
}

const NO_BYTES = new Uint8Array(0);
