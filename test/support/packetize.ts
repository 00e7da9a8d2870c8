import type { AccessUnit, Depacketizer, Packetizer } from "../../media-node/rtp/access-unit.ts";
import { newRtpPacket, readRtpPacket } from "../../media-node/rtp/rtp-packet.ts";
import { rtpPacket } from "./rtp-stream.ts";

export type SourceUnit = { readonly frames: readonly Uint8Array[]; readonly rtpTime: number };

/** The RTP packets of access units, numbered from `sequence`. */
export function packetsOf(
	packetizer: Packetizer,
	units: readonly SourceUnit[],
	{ maxPayloadBytes = 1_200, sequence = 0xfff0 } = {},
): Uint8Array[] {
	let next = sequence;
	return units.flatMap(({ frames, rtpTime }) =>
		packetizer(frames, maxPayloadBytes).map(({ bytes: payload, marker, ticks }) =>
			rtpPacket({ payload, marker, timestamp: rtpTime + ticks, sequence: next++ }),
		),
	);
}

/** The access units of RTP packets, copied at once: their frames hold no longer. */
export function unitsOf(depacketizer: Depacketizer, packets: readonly Uint8Array[]): AccessUnit[] {
	const header = newRtpPacket();
	const units: AccessUnit[] = [];
	for (const packet of packets) {
		if (!readRtpPacket(header, packet, 0, packet.length)) continue;
		for (const unit of depacketizer.push(packet, header)) {
			units.push({ ...unit, frames: unit.frames.map((frame) => Uint8Array.from(frame)) });
		}
	}
	return units;
}
