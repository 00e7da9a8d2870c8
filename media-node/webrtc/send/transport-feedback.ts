import { ProtocolError } from "#shared/problem.ts";
import { u8, u16, u24 } from "../../bytes/big-endian.ts";

/** What a receiver says of packets with transport-wide sequence numbers. */
export type TransportFeedback = {
	/** Of the first packet that is told of. */
	readonly base: number;
	/** Of each packet from the first on: when it came, in ms of the receiver's clock; `NaN` when it did not. */
	readonly arrivalsMs: Float64Array;
	/** Counts the feedback packets, modulo 256. */
	readonly count: number;
};

/** Packets that one feedback tells of: several seconds of the fastest stream. */
export const MAX_STATUS_COUNT = 8192;
const HEADER_BYTES = 8;
const MS_PER_REFERENCE = 64;
const MS_PER_TICK = 0.25;

/**
 * Parses the body of a feedback packet, which begins behind the SSRC of the media source.
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 * @see draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1
 */
export function parseTransportFeedback(bytes: Uint8Array, offset: number, length: number): TransportFeedback {
	const end = offset + length;
	if (length < HEADER_BYTES || end > bytes.length) throw truncated();
	const base = u16(bytes, offset);
	const statusCount = u16(bytes, offset + 2);
	if (statusCount > MAX_STATUS_COUNT) {
		throw new ProtocolError("bytes.malformed", `A transport feedback tells of ${statusCount} packets`);
	}
	// Signed, §3.1: an offset to an unknown time.
	let timeMs = ((u24(bytes, offset + 4) << 8) >> 8) * MS_PER_REFERENCE;
	const statuses = new Uint8Array(statusCount);
	let at = readChunks(statuses, bytes, offset + HEADER_BYTES, end);
	const arrivalsMs = new Float64Array(statusCount).fill(Number.NaN);
	for (let i = 0; i < statusCount; i++) {
		const size = statuses[i] ?? 0;
		if (size === 0) continue;
		if (size > 2) throw new ProtocolError("bytes.malformed", "A transport feedback has a status that is reserved");
		if (size > end - at) throw truncated();
		const ticks = size === 1 ? u8(bytes, at) : (u16(bytes, at) << 16) >> 16;
		at += size;
		timeMs += ticks * MS_PER_TICK;
		arrivalsMs[i] = timeMs;
	}
	return { base, arrivalsMs, count: u8(bytes, offset + 7) };
}

/** Reads as many chunks as tell of all packets, and says where they end. */
function readChunks(statuses: Uint8Array, bytes: Uint8Array, from: number, end: number): number {
	let at = from;
	let filled = 0;
	while (filled < statuses.length) {
		if (at + 2 > end) throw truncated();
		const chunk = u16(bytes, at);
		at += 2;
		if (chunk < 0x8000) {
			const run = chunk & 0x1fff;
			if (run === 0) throw new ProtocolError("bytes.malformed", "A transport feedback has an empty run");
			statuses.fill((chunk >> 13) & 3, filled, filled + run);
			filled += run;
		} else {
			const [size, bits] = chunk & 0x4000 ? [7, 2] : [14, 1];
			for (let i = 0; i < size && filled < statuses.length; i++) {
				statuses[filled++] = (chunk >> ((size - 1 - i) * bits)) & (bits === 2 ? 3 : 1);
			}
		}
	}
	return at;
}

function truncated(): ProtocolError {
	return new ProtocolError("bytes.truncated", "A transport feedback ends before it told of all packets");
}
