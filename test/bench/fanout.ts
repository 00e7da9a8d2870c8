/** What the processes of the fan-out bench agree on. One stream as of a camera: 3.9 Mbit/s in 13 packets a frame. */
export const PACKETS_PER_FRAME = 13;
export const PACKET_BYTES = 1250;
export const FRAME_RATE = 30;

/** `batch`: the product's way. `packet`: the same stream, with a write for each packet. */
export type Mode = "batch" | "packet";

export type ServerCommand = { readonly mode?: Mode };
export type ServerReply = { readonly port: number } | { readonly cpuSeconds: number };
export type ReadersCommand = { readonly readers: number; readonly port: number };
export type ReadersReply = { readonly bytes: number };
