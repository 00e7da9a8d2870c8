/** Which packet it is that a cipher works on. One object serves for all packets. */
export type PacketIndex = {
	ssrc: number;
	/** The index but for its last 16 bits: the roll-over counter of RTP, the upper half of 31 bits of RTCP. */
	high: number;
	/** The last 16 bits of the index: the sequence number of RTP, the lower half of 31 bits of RTCP. */
	low: number;
	/** 32 bits that are authenticated after the packet: the roll-over counter of RTP, the E bit and index of RTCP. */
	trailer: number;
};

/**
 * Encrypts and authenticates packets with the session keys of one direction. Input and output may overlap in any way.
 *
 * A packet is `length` bytes at `at` of `from`, the first `clear` of them not encrypted; the caller has checked that
 * all places lie within their buffers.
 */
export interface PacketCipher {
	/** How long the tag is that authenticates a packet. */
	readonly tagBytes: number;
	/** Whether the tag stands right after the packet, before the index of RTCP and the MKI, or at the very end. */
	readonly tagFirst: boolean;

	/** Writes the encrypted packet to `intoAt` of `into`, and its tag to `tagAt` of `into`. */
	seal(
		index: PacketIndex,
		from: Uint8Array,
		at: number,
		clear: number,
		length: number,
		into: Uint8Array,
		intoAt: number,
		tagAt: number,
	): void;

	/**
	 * Writes the packet in clear to `intoAt` of `into` if the tag at `tagAt` of `from` is right. Otherwise gives `false`
	 * and writes nothing.
	 */
	open(
		index: PacketIndex,
		from: Uint8Array,
		at: number,
		clear: number,
		length: number,
		tagAt: number,
		into: Uint8Array,
		intoAt: number,
	): boolean;
}
