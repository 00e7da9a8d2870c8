/** What the processes of the UDP bench agree on. */

/** To which ports the sender of runs sends; left out: as before. */
export type UdpTargets = { readonly ports?: readonly number[] };
/** Of the server: its RTSP port, whether the kernel cuts, and its CPU time. */
export type UdpReply = { readonly port: number; readonly isSegmented: boolean; readonly cpuSeconds: number };
/** So many readers are to be there; `rtspPort` 0: they only listen. */
export type UdpReadersCommand = { readonly readers: number; readonly rtspPort: number };
export type UdpReadersReply = { readonly packets: number; readonly ports: readonly number[] };
