/** What the processes of the fan-out benches agree on. One stream as of a camera: 3.9 Mbit/s in 13 packets a frame. */
export const PACKETS_PER_FRAME = 13;
export const PACKET_BYTES = 1250;
export const FRAME_RATE = 30;

/** `batch`: the RTSP server. `packet`: the same stream, with a write for each packet. */
export type Mode = "batch" | "packet";

export type ServerReply = { readonly ports: Readonly<Record<Mode, number>> } | { readonly cpuSeconds: number };
/** `isRtsp`: readers ask for the stream as RTSP clients do. */
export type ReadersCommand = { readonly readers: number; readonly port: number; readonly isRtsp: boolean };
export type ReadersReply = { readonly bytes: number };
