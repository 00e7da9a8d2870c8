import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";

/** A transport stream packet, ISO 13818-1 §2.4.3.2, and the byte it begins with. */
export const TS_PACKET_BYTES = 188;
export const TS_SYNC = 0x47;

/** An MPEG transport stream: whole packets of it and nothing else, each a frame of the unit. RFC 2250 §2. */
export class MpegTsDepacketizer implements Depacketizer {
	#dropped = 0;

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, { timestamp, payloadOffset, payloadLength }: RtpPacket): readonly AccessUnit[] {
		if (payloadLength === 0) return NO_UNITS;
		const frames: Uint8Array[] = [];
		const end = payloadOffset + payloadLength;
		for (let at = payloadOffset; at < end && bytes[at] === TS_SYNC; at += TS_PACKET_BYTES) {
			frames.push(bytes.subarray(at, at + TS_PACKET_BYTES));
		}
		if (frames.length * TS_PACKET_BYTES === payloadLength) return [{ rtpTime: timestamp, frames, randomAccess: true }];
		this.#dropped++;
		return NO_UNITS;
	}
}
