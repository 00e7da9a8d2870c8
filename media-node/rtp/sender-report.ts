import { ntpOf } from "./ntp.ts";
import { writeRtcp } from "./rtcp-packet.ts";

/** What a sender says of a source of its own. */
export type SenderReportFields = {
	readonly ssrc: number;
	/** Milliseconds since the Unix epoch, and the RTP time stamp of the same moment. */
	readonly wallclockMs: number;
	readonly rtpTime: number;
	/** Sent since the beginning, modulo 2^32. Octets are of payloads. */
	readonly packets: number;
	readonly octets: number;
};

/** The compound packet of a sender report and the name of its source, RFC 3550 §6.1. */
export function writeSenderReport(fields: SenderReportFields, cname: string): Uint8Array {
	const { ssrc, wallclockMs, rtpTime, packets, octets } = fields;
	return writeRtcp([
		{ type: "SR", ssrc, ntp: ntpOf(wallclockMs), rtpTime, packets, octets, reports: [] },
		{ type: "SDES", chunks: [{ ssrc, cname }] },
	]);
}
