import type { SluiceError } from "#shared/problem.ts";
import type { Logger } from "../../media-node/log.ts";
import { newRtpPacket, readRtpPacket, writeRtpHeader } from "../../media-node/rtp/rtp-packet.ts";
import type { Publication } from "../../media-node/stream/publication.ts";
import { PACKET_STRIDE, type RtpBatch } from "../../media-node/stream/rtp-batch.ts";
import type { PacketSink, SenderReport, UnitSink } from "../../media-node/stream/sink.ts";
import type { Track } from "../../media-node/stream/track.ts";
import type { Unit } from "../../media-node/stream/unit.ts";

/** Real parameter sets: 640x360, 30 frames per second, no reordering (x264, ultrafast, zerolatency). */
export const H264_SPS = Uint8Array.from(Buffer.from("6742c01ed900a02ff970110000030001000003003c0f162e48", "hex"));
export const H264_PPS = Uint8Array.from(Buffer.from("68cb83cb20", "hex"));
/** AudioSpecificConfig of AAC-LC, 48 kHz, stereo. */
export const AAC_CONFIG = Uint8Array.from(Buffer.from("1190", "hex"));
const AAC_FMTP =
	"streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190";

export const H264_TRACK: Track = {
	index: 0,
	kind: "video",
	codec: { name: "H264", sps: null, pps: null },
	clockRate: 90_000,
	rtp: { payloadType: 96, encoding: "H264/90000", fmtp: "packetization-mode=1" },
};
export const AAC_TRACK: Track = {
	index: 1,
	kind: "audio",
	codec: { name: "MPEG-4 Audio", config: AAC_CONFIG },
	clockRate: 48_000,
	rtp: { payloadType: 97, encoding: "mpeg4-generic/48000/2", fmtp: AAC_FMTP },
};

export type PacketFields = {
	readonly sequence: number;
	readonly timestamp: number;
	readonly payload: Uint8Array;
	readonly marker?: boolean;
	readonly ssrc?: number;
	readonly payloadType?: number;
};

/** The bytes of one RTP packet. */
export function rtpPacket(fields: PacketFields): Uint8Array {
	const { payload, marker = false, ssrc = 1, payloadType = 96, sequence, timestamp } = fields;
	const bytes = new Uint8Array(12 + payload.length);
	writeRtpHeader(bytes, 0, { marker, payloadType, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc });
	bytes.set(payload, 12);
	return bytes;
}

/** An H.264 NAL unit of `size` bytes that says `type` and is filled with `fill`. */
export function nal(type: number, size = 20, fill = 0x55): Uint8Array {
	const bytes = new Uint8Array(size).fill(fill);
	bytes[0] = 0x60 | type;
	// first_mb_in_slice 0, so that it begins a picture.
	bytes[1] = 0x88;
	return bytes;
}

/** Publishes on track 0 H.264, a NAL unit a packet, and on track 1 AAC; each access unit is one read. */
export class Camera {
	readonly #publication: Publication;
	#sequence: number;
	readonly #ssrc: number;

	constructor(publication: Publication, { sequence = 0, ssrc = 1 } = {}) {
		this.#publication = publication;
		this.#sequence = sequence;
		this.#ssrc = ssrc;
	}

	video(timestamp: number, ...nals: Uint8Array[]): void {
		nals.forEach((payload, i) => {
			const packet = {
				sequence: this.#sequence++,
				timestamp,
				payload,
				ssrc: this.#ssrc,
				marker: i === nals.length - 1,
			};
			this.packet(0, rtpPacket(packet));
		});
		this.#publication.flush();
	}

	key(timestamp: number, fill = 1): void {
		this.video(timestamp, H264_SPS, H264_PPS, nal(5, 30, fill));
	}

	/** One AAC frame of `size` bytes, RFC 3640 §3.3.6. */
	audio(sequence: number, timestamp: number, size = 10): void {
		const payload = new Uint8Array(4 + size).fill(0x21);
		payload.set([0, 16, size >> 5, (size << 3) & 0xff]);
		this.packet(1, rtpPacket({ sequence, timestamp, payload, payloadType: 97, marker: true }));
		this.#publication.flush();
	}

	/** Through a buffer that is used again, as a socket's is. */
	packet(track: number, bytes: Uint8Array): void {
		const buffer = new Uint8Array(bytes.length + 20).fill(0xee);
		buffer.set(bytes, 7);
		this.#publication.writePacket(track, buffer, 7, bytes.length);
		buffer.fill(0xee);
	}
}

export type ReceivedPacket = {
	readonly track: number;
	readonly sequence: number;
	readonly timestamp: number;
	readonly ssrc: number;
	readonly payloadType: number;
	readonly marker: boolean;
	readonly payload: Uint8Array;
};

/** The packets of a batch, read back. */
export function packetsOf(batch: RtpBatch): ReceivedPacket[] {
	const packets: ReceivedPacket[] = [];
	for (let i = 0; i < batch.packets.length; i += PACKET_STRIDE) {
		const [track = 0, offset = 0, length = 0] = Array.from(batch.packets).slice(i, i + PACKET_STRIDE);
		const packet = newRtpPacket();
		if (!readRtpPacket(packet, batch.bytes, offset, length))
			throw new Error(`Packet ${i / PACKET_STRIDE} is malformed`);
		const { payloadOffset, payloadLength, ...header } = packet;
		const payload = Uint8Array.from(batch.bytes.subarray(payloadOffset, payloadOffset + payloadLength));
		packets.push({ ...header, track, payload });
	}
	return packets;
}

/** Keeps all that it is given. */
export class RecordingPacketSink implements PacketSink {
	readonly batches: RtpBatch[] = [];
	readonly reports: { track: number; report: SenderReport }[] = [];
	readonly ended: SluiceError[] = [];

	push(batch: RtpBatch): void {
		this.batches.push(batch);
	}
	senderReport(track: number, report: SenderReport): void {
		this.reports.push({ track, report });
	}
	end(reason: SluiceError): void {
		this.ended.push(reason);
	}
	get packets(): ReceivedPacket[] {
		return this.batches.flatMap(packetsOf);
	}
}

/** Keeps all that it is given, units with copies of their frames. */
export class RecordingUnitSink implements UnitSink {
	readonly units: Unit[] = [];
	/** `begin`, `unit`, `pause` and `end`, in order. */
	readonly calls: string[] = [];
	readonly begun: (readonly Track[])[] = [];
	readonly ended: SluiceError[] = [];

	begin(tracks: readonly Track[]): void {
		this.calls.push("begin");
		this.begun.push(tracks);
	}
	push(unit: Unit): void {
		this.calls.push("unit");
		this.units.push({ ...unit, frames: unit.frames.map((frame) => frame.slice()) });
	}
	pause(): void {
		this.calls.push("pause");
	}
	end(reason: SluiceError): void {
		this.calls.push("end");
		this.ended.push(reason);
	}
}

export type LoggedLine = { readonly level: string; readonly fields: unknown; readonly message: unknown };

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: LoggedLine[] } {
	const lines: LoggedLine[] = [];
	const at = (level: string) => (fields: unknown, message?: unknown) => void lines.push({ level, fields, message });
	const logger = {
		debug: at("debug"),
		info: at("info"),
		warn: at("warn"),
		error: at("error"),
		lines,
		child: () => logger,
	};
	return logger;
}
