import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { Ntp } from "./ntp.ts";

/** How one receiver hears one source. RFC 3550 §6.4.1. */
export type ReportBlock = {
	readonly ssrc: number;
	/** Since the last report, in 256ths. */
	readonly fractionLost: number;
	/** Since the beginning, -2^23 to 2^23 - 1: duplicates count as negative loss. */
	readonly totalLost: number;
	/** Sequence number with the number of its cycles above. */
	readonly highestSequence: number;
	/** In ticks of the source's clock. */
	readonly jitter: number;
	/** The compact NTP time of the last sender report that came; 0 when none did. */
	readonly lastSenderReport: number;
	/** Since then, in 65536ths of a second. */
	readonly delaySinceLast: number;
};

export type SenderReportPacket = {
	readonly type: "SR";
	readonly ssrc: number;
	readonly ntp: Ntp;
	readonly rtpTime: number;
	readonly packets: number;
	readonly octets: number;
	readonly reports: readonly ReportBlock[];
};

export type RtcpPacket =
	| SenderReportPacket
	| { readonly type: "RR"; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
	/** Of the items only the canonical name. */
	| { readonly type: "SDES"; readonly chunks: readonly { readonly ssrc: number; readonly cname: string | null }[] }
	| { readonly type: "BYE"; readonly ssrcs: readonly number[]; readonly reason: string };

const TYPE = { SR: 200, RR: 201, SDES: 202, BYE: 203 } as const;
const SDES_CNAME = 1;
/** What 5 bits can tell. */
const MAX_COUNT = 31;
const MAX_TEXT_BYTES = 255;

/**
 * Parses a compound packet. Packets of a type that is not in {@link RtcpPacket} are left out.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |V=2|P|  count  |      PT       |  length, in words of 4, less 1 |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 * @see RFC 3550 §6.4 to §6.6
 */
export function parseRtcp(bytes: Uint8Array, offset = 0, length = bytes.length - offset): RtcpPacket[] {
	const reader = new ByteReader(bytes, offset, length);
	const packets: RtcpPacket[] = [];
	while (reader.remaining > 0) {
		const first = reader.u8();
		if (first >> 6 !== 2) throw new ProtocolError("bytes.malformed", "An RTCP packet is not of version 2");
		const type = reader.u8();
		// What pads the last packet, and extensions of reports, stand behind the fields and are not looked at.
		const body = reader.sub(reader.u16() * 4);
		const packet = readBody(body, type, first & 0x1f);
		if (packet !== null) packets.push(packet);
	}
	return packets;
}

function readBody(r: ByteReader, type: number, count: number): RtcpPacket | null {
	switch (type) {
		case TYPE.SR: {
			const ssrc = r.u32();
			const ntp = { seconds: r.u32(), fraction: r.u32() };
			const [rtpTime, packets, octets] = [r.u32(), r.u32(), r.u32()];
			return { type: "SR", ssrc, ntp, rtpTime, packets, octets, reports: repeat(count, () => readReport(r)) };
		}
		case TYPE.RR:
			return { type: "RR", ssrc: r.u32(), reports: repeat(count, () => readReport(r)) };
		case TYPE.SDES:
			return { type: "SDES", chunks: repeat(count, () => readChunk(r)) };
		case TYPE.BYE: {
			const ssrcs = repeat(count, () => r.u32());
			return { type: "BYE", ssrcs, reason: r.remaining > 0 ? r.latin1(r.u8()) : "" };
		}
		default:
			return null;
	}
}

function repeat<T>(count: number, read: () => T): T[] {
	return Array.from({ length: count }, read);
}

function readReport(r: ByteReader): ReportBlock {
	return {
		ssrc: r.u32(),
		fractionLost: r.u8(),
		totalLost: (r.u24() << 8) >> 8,
		highestSequence: r.u32(),
		jitter: r.u32(),
		lastSenderReport: r.u32(),
		delaySinceLast: r.u32(),
	};
}

/** A chunk ends with a zero, and with what fills its last word. RFC 3550 §6.5. */
function readChunk(r: ByteReader): { ssrc: number; cname: string | null } {
	const start = r.offset;
	const ssrc = r.u32();
	let cname: string | null = null;
	for (let item = r.u8(); item !== 0; item = r.u8()) {
		const text = r.latin1(r.u8());
		if (item === SDES_CNAME) cname = text;
	}
	r.skip((4 - ((r.offset - start) % 4)) % 4);
	return { ssrc, cname };
}

/** Writes a compound packet. Texts are one byte a character, and at most 255. */
export function writeRtcp(packets: readonly RtcpPacket[]): Uint8Array {
	const writer = new ByteWriter(128);
	for (const packet of packets) {
		const count = countOf(packet);
		if (count > MAX_COUNT) throw new RangeError(`An RTCP ${packet.type} cannot hold ${count} entries`);
		const start = writer.length;
		writer.u8(0x80 | count);
		writer.u8(TYPE[packet.type]);
		writer.u16(0);
		writeBody(writer, packet);
		writer.zeros((4 - ((writer.length - start) % 4)) % 4);
		writer.patchU16(start + 2, (writer.length - start) / 4 - 1);
	}
	return writer.written;
}

function countOf(packet: RtcpPacket): number {
	switch (packet.type) {
		case "SR":
		case "RR":
			return packet.reports.length;
		case "SDES":
			return packet.chunks.length;
		case "BYE":
			return packet.ssrcs.length;
	}
}

function writeBody(w: ByteWriter, packet: RtcpPacket): void {
	switch (packet.type) {
		case "SR":
			for (const field of [packet.ssrc, packet.ntp.seconds, packet.ntp.fraction]) w.u32(field);
			for (const field of [packet.rtpTime, packet.packets, packet.octets]) w.u32(field);
			for (const report of packet.reports) writeReport(w, report);
			return;
		case "RR":
			w.u32(packet.ssrc);
			for (const report of packet.reports) writeReport(w, report);
			return;
		case "SDES":
			for (const { ssrc, cname } of packet.chunks) {
				const start = w.length;
				w.u32(ssrc);
				if (cname !== null) {
					w.u8(SDES_CNAME);
					writeText(w, cname);
				}
				// At least one zero ends the chunk.
				w.zeros(4 - ((w.length - start) % 4));
			}
			return;
		case "BYE":
			for (const ssrc of packet.ssrcs) w.u32(ssrc);
			if (packet.reason !== "") writeText(w, packet.reason);
			return;
	}
}

function writeReport(w: ByteWriter, report: ReportBlock): void {
	w.u32(report.ssrc);
	w.u8(report.fractionLost);
	w.u24(report.totalLost & 0xffffff);
	w.u32(report.highestSequence);
	w.u32(report.jitter);
	w.u32(report.lastSenderReport);
	w.u32(report.delaySinceLast);
}

function writeText(w: ByteWriter, text: string): void {
	const short = text.slice(0, MAX_TEXT_BYTES);
	w.u8(short.length);
	w.latin1(short);
}
