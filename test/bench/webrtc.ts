/** What the processes of the WebRTC bench agree on. */

/** One stream of 2 Mbit/s: so many packets, of so many bytes, 30 times a second. */
export const PACKETS_PER_FRAME = 7;
export const PACKET_BYTES = 1200;

/** `isSending`: whether the stream flows; left out: as before. */
export type WebRtcServerCommand = { readonly isSending?: boolean; readonly collects?: boolean };
/** Of the server: the URL that viewers send their offers to, its CPU time, and its memory (after a collection, if asked). */
export type WebRtcServerReply = { readonly url: string; readonly cpuSeconds: number; readonly rssBytes: number };

/** So many viewers of the stream at `url` are to be there, connected by so many at once. */
export type WebRtcViewersCommand = { readonly url: string; readonly viewers: number; readonly atOnce: number };
/** SRTP packets that came so far. */
export type WebRtcViewersReply = { readonly packets: number };
