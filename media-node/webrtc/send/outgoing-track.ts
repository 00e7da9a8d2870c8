/** How a track goes out. Plain data, for the API, metrics, and logs. */
export type OutgoingTrackStatistics = {
	readonly index: number;
	readonly packets: number;
	/** Of RTP headers and payloads. */
	readonly bytes: number;
	/** Sent again, because the viewer asked. */
	readonly retransmitted: number;
	/** Asked for, but gone, or asked for too often. */
	readonly notRetransmitted: number;
	/** Too large for a datagram. */
	readonly oversized: number;
	/** FEC packets, which protect the others while the viewer loses some. */
	readonly fecPackets: number;
	/** What the viewer says: packets that never came, the part of the last interval (0 to 1), and jitter in seconds. */
	readonly lost: number;
	readonly fractionLost: number;
	readonly jitter: number;
	/** Key frames that the viewer asked for, which it does after each freeze. */
	readonly keyFrameRequests: number;
};

export type OutgoingStatistics = {
	readonly tracks: readonly OutgoingTrackStatistics[];
	/** `null` until it is known, in ms. */
	readonly rttMs: number | null;
	/** Bits per second that go out, over the last second. */
	readonly bitrate: number;
	/** Bits per second that the network carries, as far as it was found to be too thin; `null` while it was not. */
	readonly targetBitrate: number | null;
	/** The encoding of video that is sent, by its name; empty while it is the one of the stream. */
	readonly rendition: string;
	/** How often video was held up to the next key frame, for the network was too thin; and the packets left out. */
	readonly freezes: number;
	readonly discarded: number;
};
