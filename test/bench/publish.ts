/** What the processes of the benches with real publishers agree on. */

/** `frames`: the packets of a frame in one write, as most cameras send them. `packets`: each when its share of time comes. `none`: nothing. */
export type Pace = "frames" | "packets" | "none";

export type PublishersCommand = { readonly port: number; readonly streams: number; readonly pace: Pace };

/** Where the time of sending stands in an RTP packet: behind its header and that of the FU-A fragment. */
const STAMP_AT = 16;

/** Milliseconds of the machine's steady clock, which all processes share. */
export function steadyMs(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}

/** `packet`: from its RTP header. */
export function writeStamp(packet: Buffer): void {
	packet.writeDoubleLE(steadyMs(), STAMP_AT);
}

export function readStamp(bytes: Buffer, packetAt: number): number {
	return bytes.readDoubleLE(packetAt + STAMP_AT);
}

/** Up to which byte of a packet it takes to read its stamp. */
export const STAMP_END = STAMP_AT + Float64Array.BYTES_PER_ELEMENT;
