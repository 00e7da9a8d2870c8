import { putU16, putU32, u8, u16, u32 } from "../../bytes/big-endian.ts";
import { RED_HEADER_BYTES } from "../../rtp/red.ts";
import type { ReportBlock } from "../../rtp/rtcp-packet.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket, sequenceDistance } from "../../rtp/rtp-packet.ts";
import { type ExtensionIds, sentExtensions } from "../sdp/header-extensions.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import { type FecPacket, FecSender } from "./fec-sender.ts";
import type { OutgoingTrackStatistics } from "./outgoing-track.ts";
import { RepairHistory } from "./repair-history.ts";
import { Retransmission, type SentPacket } from "./retransmission.ts";

/** The longest packet that is sent, before encryption: what a datagram holds without being divided, and a little more. */
export const MAX_SENT_PACKET_BYTES = 1_500;

/** What a retransmission has more than the packet, RFC 4588 §4. */
const ORIGINAL_BYTES = 2;
/** A packet that cannot be sent, and one that was not. */
const IMPOSSIBLE = -1;
const UNSENT = -2;

/** What tells of the path to a viewer, of all of its tracks. */
export type SendPath = {
	/** The bytes are only good for the time of the call. `false`: it was not sent. Never throws. */
	readonly sendRtp: (bytes: Uint8Array) => boolean;
	/** Gives the next transport-wide sequence number to a packet of `length` bytes. */
	readonly numberOf: (length: number) => number;
};

/** Header extension, payload type, and SSRC of one kind of packets, in the buffer that they are written into. */
type Form = { readonly bytes: Uint8Array; readonly headerBytes: number; readonly transportSequenceAt: number };

/** Writes the packets of one track for one viewer: with headers of its session, and otherwise as they are. */
export class TrackSender {
	readonly track: OutgoingTrack;
	readonly #path: SendPath;
	readonly #media: Form;
	readonly #again: Form | null;
	readonly #history: Retransmission | null;
	readonly #fec: FecSender | null;
	/** Media within RED, FEC packets, and those of them that are sent again. */
	readonly #red: Form | null;
	readonly #repair: Form | null;
	readonly #repairAgain: Form | null;
	readonly #repairHistory = new RepairHistory();
	readonly #packet = newRtpPacket();
	readonly #found: SentPacket = { bytes: new Uint8Array(0), offset: 0, length: 0, transportSequence: 0 };
	/** What is added to the numbers of the stream. */
	#sequenceOffset = 0;
	#nextSequence: number;
	#rebase = true;
	/** Numbers were put in: what comes late would have one that is taken. */
	#isShifted = false;
	#rtxSequence: number;
	/** Of FEC packets with an SSRC of their own. */
	#repairSequence: number;
	/** Of the last packet. */
	#transportSequence = 0;
	/** Of the last packet: its time stamp, -1 before the first one, and when it came to us, by the wall clock. */
	lastTimestamp = -1;
	lastArrivalMs = 0;
	packets = 0;
	octets = 0;
	bytes = 0;
	retransmitted = 0;
	notRetransmitted = 0;
	oversized = 0;
	fecPackets = 0;
	keyFrameRequests = 0;
	/** Of the last report of the viewer. */
	report = { lost: 0, fractionLost: 0, jitter: 0 };

	/** `firstSequence`: of 16 bits, any. */
	constructor(track: OutgoingTrack, path: SendPath, firstSequence: number) {
		const { payloadType, ssrc, rtxPayloadType, rtxSsrc, extensions, mid } = track;
		this.track = track;
		this.#path = path;
		this.#media = formOf(payloadType, ssrc, extensions, mid);
		this.#again = rtxPayloadType === null || rtxSsrc === null ? null : formOf(rtxPayloadType, rtxSsrc, extensions, mid);
		this.#history = track.hasNack ? new Retransmission() : null;
		const { ulpfec = null, flexfec = null } = track.fec ?? {};
		this.#fec =
			track.fec === undefined ? null : new FecSender(track, track.fec, MAX_SENT_PACKET_BYTES - ORIGINAL_BYTES);
		this.#red = ulpfec === null ? null : formOf(ulpfec.red, ssrc, extensions, mid, payloadType);
		const repairType = flexfec ?? ulpfec?.red ?? null;
		this.#repair = repairType === null ? null : formOf(repairType, track.fecSsrc ?? ssrc, extensions, mid);
		const redRtx = ulpfec?.redRtx ?? null;
		this.#repairAgain = redRtx === null || rtxSsrc === null ? null : formOf(redRtx, rtxSsrc, extensions, mid);
		this.#nextSequence = firstSequence & 0xffff;
		this.#rtxSequence = firstSequence & 0xffff;
		this.#repairSequence = firstSequence & 0xffff;
	}

	/** What is sent next follows what was sent last, though the stream has packets in between. */
	skip(): void {
		this.#rebase = true;
	}

	/** Sends a packet of the stream. */
	send(bytes: Uint8Array, offset: number, length: number, nowMs: number): void {
		const sequence = u16(bytes, offset + 2);
		if (this.#rebase) {
			this.#rebase = false;
			this.#sequenceOffset = this.#nextSequence - sequence;
		}
		const number = (sequence + this.#sequenceOffset) & 0xffff;
		if (this.#isShifted && sequenceDistance(this.#nextSequence, number) < 0) return;
		// Packets that the publisher lost are missing for the viewer, too: without them pictures would look whole.
		this.#write(number, bytes, offset, length, nowMs);
	}

	/** Sends a packet that the stream does not have, before the next one. Its bytes are kept. */
	insert(bytes: Uint8Array, nowMs: number): void {
		const sequence = this.#nextSequence;
		this.#write(sequence, bytes, 0, bytes.length, nowMs);
		this.added(1);
	}

	/** More packets were sent than the stream has, by `count`: its next one follows the last one that was sent. */
	added(count: number): void {
		if (count === 0) return;
		this.#sequenceOffset += count;
		this.#isShifted = true;
	}

	/** Sends a packet again. */
	sendAgain(sequence: number, rttMs: number, bitrate: number, nowMs: number): void {
		const found = this.#found;
		if (this.#history === null) return;
		if (!this.#history.take(found, sequence, rttMs, bitrate, nowMs)) {
			if (!this.#repairAgainOf(sequence, rttMs, nowMs)) this.notRetransmitted++;
			return;
		}
		let sent: number;
		if (this.#again === null) {
			// The very same bytes: what is encrypted twice under one number must not differ. RFC 3711 §9.1.
			sent = this.#emit(this.#media, sequence, -1, found.transportSequence, found.bytes, found.offset, found.length);
		} else {
			sent = this.#emit(this.#again, this.#rtxSequence, sequence, -1, found.bytes, found.offset, found.length);
			this.#rtxSequence = (this.#rtxSequence + 1) & 0xffff;
		}
		if (sent < 0) this.notRetransmitted++;
		else this.retransmitted++;
	}

	/** Takes what the viewer says of the path: see `FecSender.report`. */
	pathReport(block: ReportBlock, rttMs: number | null, hasRoom: boolean): void {
		this.#fec?.report(block, rttMs, hasRoom);
	}

	/**
	 * Sends the newest packet again until `bytes` are sent, to find out what the network carries: a viewer takes no harm
	 * from what it has already. Gives the bytes that were sent; 0 where there are no retransmissions. RFC 4588 §4.
	 */
	pad(bytes: number): number {
		const found = this.#found;
		const sequence = this.#again === null ? -1 : (this.#history?.newest(found) ?? -1);
		if (this.#again === null || sequence < 0) return 0;
		let sent = 0;
		while (sent < bytes) {
			if (this.#emit(this.#again, this.#rtxSequence, sequence, -1, found.bytes, found.offset, found.length) < 0) break;
			this.#rtxSequence = (this.#rtxSequence + 1) & 0xffff;
			sent += found.length;
		}
		return sent;
	}

	/** Keeps nothing to be sent again. */
	close(): void {
		this.#repairHistory.clear();
		this.#history?.clear();
	}

	describe(): OutgoingTrackStatistics {
		const { packets, bytes, retransmitted, notRetransmitted, oversized, fecPackets, keyFrameRequests } = this;
		const counts = { packets, bytes, retransmitted, notRetransmitted, oversized, fecPackets, keyFrameRequests };
		return { index: this.track.track.index, ...counts, ...this.report };
	}

	#write(sequence: number, bytes: Uint8Array, offset: number, length: number, nowMs: number): void {
		this.#nextSequence = (sequence + 1) & 0xffff;
		this.lastTimestamp = u32(bytes, offset + 4);
		const fec = this.#fec?.isActive === true ? this.#fec : null;
		const form = fec === null ? this.#media : (this.#red ?? this.#media);
		const payload = this.#emit(form, sequence, -1, -1, bytes, offset, length);
		if (payload === IMPOSSIBLE) return;
		// What there was no room for is lost for the viewer, which asks for it again.
		if (payload !== UNSENT) {
			this.packets++;
			this.octets += payload;
		}
		this.#history?.push(sequence, bytes, offset, length, this.#transportSequence, nowMs);
		if (fec !== null) for (const packet of fec.add(sequence, bytes, offset, length, nowMs)) this.#sendRepair(packet);
	}

	#sendRepair(packet: FecPacket): void {
		const form = this.#repair;
		if (form === null) return;
		this.fecPackets++;
		if (this.#red === null) {
			this.#emit(form, this.#repairSequence, -1, -1, packet, 0, packet.length);
			this.#repairSequence = (this.#repairSequence + 1) & 0xffff;
			return;
		}
		const sequence = this.#nextSequence;
		this.#nextSequence = (sequence + 1) & 0xffff;
		this.added(1);
		const payload = this.#emit(form, sequence, -1, -1, packet, 0, packet.length);
		if (payload >= 0) {
			this.packets++;
			this.octets += payload;
		}
		if (this.#repairAgain !== null) this.#repairHistory.push(sequence, packet);
	}

	/** Sends a FEC packet again. `false`: it is none, or is not sent again. */
	#repairAgainOf(sequence: number, rttMs: number, nowMs: number): boolean {
		const packet = this.#repairAgain === null ? null : this.#repairHistory.take(sequence, rttMs, nowMs);
		if (packet === null || this.#repairAgain === null) return false;
		const sent = this.#emit(this.#repairAgain, this.#rtxSequence, sequence, -1, packet, 0, packet.length);
		this.#rtxSequence = (this.#rtxSequence + 1) & 0xffff;
		if (sent >= 0) this.retransmitted++;
		return sent >= 0;
	}

	/**
	 * Gives the length of the payload, or {@link IMPOSSIBLE} or {@link UNSENT}. `original`: the number that a retransmission is of, or
	 * -1. `transportSequence`: -1 for the next one.
	 */
	#emit(
		form: Form,
		sequence: number,
		original: number,
		transportSequence: number,
		bytes: Uint8Array,
		offset: number,
		length: number,
	): number {
		let payload = offset + RTP_HEADER_BYTES;
		let size = length - RTP_HEADER_BYTES;
		if (u8(bytes, offset) !== 0x80) {
			// Extensions of the publisher's, or padding.
			const packet = this.#packet;
			if (!readRtpPacket(packet, bytes, offset, length)) return IMPOSSIBLE;
			payload = packet.payloadOffset;
			size = packet.payloadLength;
		}
		const { bytes: out, transportSequenceAt } = form;
		let at = form.headerBytes;
		if (at + size + ORIGINAL_BYTES > out.length) {
			this.oversized++;
			return IMPOSSIBLE;
		}
		out[1] = (u8(bytes, offset + 1) & 0x80) | (u8(out, 1) & 0x7f);
		putU16(out, 2, sequence);
		putU32(out, 4, u32(bytes, offset + 4));
		if (original >= 0) {
			putU16(out, at, original);
			at += 2;
		}
		const total = at + size;
		if (transportSequenceAt >= 0) {
			this.#transportSequence = transportSequence >= 0 ? transportSequence : this.#path.numberOf(total);
			putU16(out, transportSequenceAt, this.#transportSequence);
		}
		out.set(bytes.subarray(payload, payload + size), at);
		if (!this.#path.sendRtp(out.subarray(0, total))) return UNSENT;
		this.bytes += total;
		return size;
	}
}

/** `within`: the payload type of what is in RED, RFC 2198 §3; -1 when it is not. */
function formOf(payloadType: number, ssrc: number, ids: ExtensionIds, mid: string, within = -1): Form {
	const extensions = sentExtensions(ids, mid);
	const bytes = Buffer.alloc(MAX_SENT_PACKET_BYTES);
	bytes[0] = extensions.bytes.length > 0 ? 0x90 : 0x80;
	bytes[1] = payloadType;
	putU32(bytes, 8, ssrc);
	bytes.set(extensions.bytes, RTP_HEADER_BYTES);
	const { transportSequenceAt: at } = extensions;
	const headerBytes = RTP_HEADER_BYTES + extensions.bytes.length;
	if (within >= 0) bytes[headerBytes] = within;
	return {
		bytes,
		headerBytes: headerBytes + (within >= 0 ? RED_HEADER_BYTES : 0),
		transportSequenceAt: at === -1 ? -1 : RTP_HEADER_BYTES + at,
	};
}
