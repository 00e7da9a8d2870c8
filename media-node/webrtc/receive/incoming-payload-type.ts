import type { IncomingTrack } from "./incoming-track.ts";

/** Says whether packets of the payload type are those of the track: as they are, or in RED. */
export function isMediaType({ track, fec }: IncomingTrack, payloadType: number): boolean {
	return payloadType === track.rtp.payloadType || payloadType === fec?.ulpfec?.red;
}

/** Says whether packets of the payload type are retransmissions of those. */
export function isRetransmissionType({ rtxPayloadType, fec }: IncomingTrack, payloadType: number): boolean {
	return payloadType === rtxPayloadType || (fec !== undefined && payloadType === fec.ulpfec?.redRtx);
}

/** The payload type of what a retransmission brings. RFC 4588 §8.1. */
export function originalType({ track, fec }: IncomingTrack, payloadType: number): number {
	return fec?.ulpfec?.redRtx === payloadType ? fec.ulpfec.red : track.rtp.payloadType;
}
