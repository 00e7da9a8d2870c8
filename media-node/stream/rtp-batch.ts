/**
 * The RTP packets that one read of a publisher's socket brought, as one immutable buffer that all readers share.
 *
 * Each packet stands behind a RFC 2326 §10.12 interleaved header (`$`, channel, 16-bit length) with channel `2 × track
 * index`, which is what most RTSP/TCP readers ask for: one write sends the whole batch to each of them. A UDP reader
 * sends the packets one by one, as views. SSRC, sequence number and time stamp were already made continuous over all
 * publishers of the stream.
 */
export type RtpBatch = {
	/** A `Buffer`, which sockets take as it is. Its `slice` is a view: copy with `Uint8Array.from`. */
	readonly bytes: Uint8Array;
	/** Three numbers a packet: track index, offset of its RTP header in `bytes`, length of the packet. */
	readonly packets: Uint32Array | readonly number[];
	/** A reader can begin with this batch: it starts a key frame, or the stream has no video. */
	readonly randomAccess: boolean;
	/** Wall-clock time of arrival, milliseconds since the Unix epoch. */
	readonly arrivalMs: number;
};

/** Numbers per packet in {@link RtpBatch.packets}. */
export const PACKET_STRIDE = 3;
/** Bytes of an interleaved header. */
export const INTERLEAVED_HEADER_BYTES = 4;
