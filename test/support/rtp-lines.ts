import type { Codec } from "../../media-node/codecs/codec.ts";
import type { RtpPayload } from "../../media-node/rtp/access-unit.ts";
import { createDepacketizer } from "../../media-node/rtp/depacketizer.ts";
import { startsRandomAccess } from "../../media-node/rtp/random-access.ts";
import { bytesOfHex } from "./hex.ts";
import { unitsOf } from "./packetize.ts";
import { rtpPacket } from "./rtp-stream.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/**
 * What comes out of packets, each a line `sequence timestamp [m] payload` with the payload in hexadecimal digits: units
 * as `timestamp[*]: frame frame`, with a star where a decoder can begin.
 */
export function unitLines(codec: Codec, lines: readonly string[]): { units: string[]; dropped: number } {
	const depacketizer = createDepacketizer(codec, { encoding: "", fmtp: "" });
	if (depacketizer === null) throw new Error(`There is no depacketizer of ${codec.name}`);
	const packets = lines.map((line) => {
		const [sequence, timestamp, ...rest] = line.split(" ");
		const marker = rest[0] === "m";
		const payload = bytesOfHex(rest.slice(marker ? 1 : 0).join(""));
		return rtpPacket({ sequence: Number(sequence), timestamp: Number(timestamp), marker, payload });
	});
	const units = unitsOf(depacketizer, packets).map(
		({ rtpTime, frames, randomAccess }) => `${rtpTime}${randomAccess ? "*" : ""}: ${frames.map(hexOf).join(" ")}`,
	);
	return { units, dropped: depacketizer.dropped };
}

/** Payloads as `[m] payload`. */
export function payloadLines(payloads: readonly RtpPayload[]): string[] {
	return payloads.map(({ bytes, marker }) => `${marker ? "m " : ""}${hexOf(bytes)}`);
}

/** Says whether a reader can begin with a packet of this payload, which stands in the midst of other bytes. */
export function startsWith(codec: Codec, payload: string): boolean {
	const bytes = bytesOfHex(payload);
	return startsRandomAccess(codec.name, Uint8Array.of(0xaa, ...bytes, 0xaa), 1, bytes.length);
}
