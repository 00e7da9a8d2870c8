import type { RtpPacket } from "./rtp-packet.ts";

/** One access unit, out of RTP packets. */
export type AccessUnit = {
	/** RTP time stamp, 32 bits, unsigned. */
	readonly rtpTime: number;
	/** H26x: NAL units without start code. Audio: one or more whole frames. */
	readonly frames: readonly Uint8Array[];
	/** A decoder can begin here. True for every audio unit. */
	readonly randomAccess: boolean;
};

/**
 * Makes access units of the packets of one track, in order of their sequence numbers. A unit of which something is
 * missing or malformed is dropped whole and counted, never given.
 */
export interface Depacketizer {
	/**
	 * Takes a packet that was read from `bytes`, and gives the units that are complete with it: none, one or two. `bytes`
	 * must stay as they are until then, for frames are views of them where possible. Frames hold until the next `push`.
	 */
	push(bytes: Uint8Array, packet: RtpPacket): readonly AccessUnit[];
	/** How many units or malformed packets were left out so far. */
	readonly dropped: number;
}

/** What goes behind the header of one RTP packet. */
export type RtpPayload = {
	readonly bytes: Uint8Array;
	/** For the header's marker bit. */
	readonly marker: boolean;
	/** How long after the access unit's time stamp that of the packet is. */
	readonly ticks: number;
};

/**
 * Divides an access unit into payloads of at most `maxPayloadBytes`, which is at least {@link MIN_PAYLOAD_BYTES}. A
 * frame that the payload format cannot carry is left out. A payload may be a view of a frame.
 */
export type Packetizer = (frames: readonly Uint8Array[], maxPayloadBytes: number) => RtpPayload[];

export const MIN_PAYLOAD_BYTES = 64;

/** The largest access unit that is put together. A key frame of 8K video at 100 Mbit/s is about half of it. */
export const MAX_ACCESS_UNIT_BYTES = 8 * 1024 * 1024;
/** The most NAL units of an access unit: slices of one packet each fill the largest unit with fewer. */
export const MAX_ACCESS_UNIT_NALS = 8_192;

/** For a push that completes nothing. */
export const NO_UNITS: readonly AccessUnit[] = [];
