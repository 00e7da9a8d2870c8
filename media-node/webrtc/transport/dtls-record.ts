/** The record layer of DTLS 1.2: how datagrams are cut. RFC 6347 §4.1. */

import { putU16, u8, u16, u32 } from "../../bytes/big-endian.ts";

export const DtlsContent = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** DTLS 1.2. A first ClientHello may say 1.0 in its record. */
export const DTLS_1_2 = 0xfefd;
const DTLS_1_0 = 0xfeff;

export const RECORD_HEADER_BYTES = 13;
/** RFC 5246 §6.2.3. */
const MAX_FRAGMENT_BYTES = 2 ** 14 + 2048;
const MAX_RECORDS = 32;

/** A record of which all bytes are views. */
export type DtlsRecord = {
	readonly type: number;
	readonly version: number;
	readonly epoch: number;
	/** Below 2^48. */
	readonly sequence: number;
	readonly fragment: Uint8Array;
	/** With its header. */
	readonly bytes: Uint8Array;
};

/** The records of a datagram, up to the first that is malformed. */
export function readRecords(datagram: Uint8Array): readonly DtlsRecord[] {
	const records: DtlsRecord[] = [];
	let at = 0;
	while (at + RECORD_HEADER_BYTES <= datagram.length && records.length < MAX_RECORDS) {
		const type = u8(datagram, at);
		const version = u16(datagram, at + 1);
		const length = u16(datagram, at + 11);
		const end = at + RECORD_HEADER_BYTES + length;
		if (type < 20 || type > 23 || (version !== DTLS_1_2 && version !== DTLS_1_0)) break;
		if (length > MAX_FRAGMENT_BYTES || end > datagram.length) break;
		records.push({
			type,
			version,
			epoch: u16(datagram, at + 3),
			sequence: u16(datagram, at + 5) * 2 ** 32 + u32(datagram, at + 7),
			fragment: datagram.subarray(at + RECORD_HEADER_BYTES, end),
			bytes: datagram.subarray(at, end),
		});
		at = end;
	}
	return records;
}

/** One record as a datagram. */
export function writeRecord(type: number, epoch: number, sequence: number, fragment: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(RECORD_HEADER_BYTES + fragment.length);
	bytes[0] = type;
	putU16(bytes, 1, DTLS_1_2);
	putU16(bytes, 3, epoch);
	putU16(bytes, 5, Math.floor(sequence / 2 ** 32));
	putU16(bytes, 7, (sequence >>> 16) & 0xffff);
	putU16(bytes, 9, sequence & 0xffff);
	putU16(bytes, 11, fragment.length);
	bytes.set(fragment, RECORD_HEADER_BYTES);
	return bytes;
}
