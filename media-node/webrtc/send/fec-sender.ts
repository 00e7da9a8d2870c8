import { putU16, putU32, u8, u32 } from "../../bytes/big-endian.ts";
import { interleave } from "../../rtp/fec-cover.ts";
import { addPartsToFecSum, clearFecSum, MAX_PROTECTED_BYTES, newFecSum } from "../../rtp/fec-sum.ts";
import { MAX_FLEXFEC_HEADER_BYTES, MAX_FLEXFEC_SPAN, writeFlexfec } from "../../rtp/flexfec.ts";
import { RED_HEADER_BYTES } from "../../rtp/red.ts";
import type { ReportBlock } from "../../rtp/rtcp-packet.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket } from "../../rtp/rtp-packet.ts";
import { MAX_ULPFEC_HEADER_BYTES, MAX_ULPFEC_SPAN, writeUlpfec } from "../../rtp/ulpfec.ts";
import type { FecFormat } from "../sdp/fec-format.ts";
import { sentExtensions } from "../sdp/header-extensions.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import { FecPolicy } from "./fec-policy.ts";

/** Packets that wait for the end of their picture. Those beyond are not protected. */
const MAX_HELD = 256;
/** More packets than this are not of one report. */
const MAX_REPORTED = 10_000;
/** Between pictures, until it is known. */
const INITIAL_PICTURE_MS = 40;

/** Has no number of its own yet, which is why its header is no whole one: only payload and time stamp are good. */
export type FecPacket = Uint8Array;

type Held = { sequence: number; second: number; timestamp: number; bytes: Uint8Array; at: number; length: number };

const NOTHING = new Uint8Array(0);
const NO_PACKETS: readonly FecPacket[] = [];

/**
 * Makes the packets that protect a track for one viewer, while it loses some: after each picture, or after a few that are
 * small. The packets of the picture are not copied: the batches of the stream are kept until it is over.
 */
export class FecSender {
	readonly #format: FecFormat;
	readonly #payloadType: number;
	readonly #ssrc: number;
	/** As the viewer sees it before it looks at what the path put in: RFC 5109 protects what does not change. */
	readonly #extension: Uint8Array;
	readonly #first: number;
	readonly #span: number;
	readonly #maxBytes: number;
	readonly #policy: FecPolicy;
	readonly #packet = newRtpPacket();
	readonly #sum = newFecSum();
	readonly #buffer: Uint8Array;
	readonly #held: Held[] = [];
	#count = 0;
	/** The packet up to which the viewer reported. */
	#reported: number | null = null;
	#sinceMs = 0;
	#pictureMs = INITIAL_PICTURE_MS;
	#lastPictureMs = 0;

	/** `maxBytes`: of a packet, with its header. */
	constructor(track: OutgoingTrack, format: FecFormat, maxBytes: number) {
		const { extensions, mid, payloadType, ssrc } = track;
		this.#format = format;
		this.#payloadType = payloadType;
		this.#ssrc = ssrc;
		this.#extension = sentExtensions(extensions, mid).bytes;
		this.#first = this.#extension.length > 0 ? 0x90 : 0x80;
		this.#span = format.flexfec === null ? MAX_ULPFEC_SPAN : MAX_FLEXFEC_SPAN;
		const header = format.flexfec === null ? RED_HEADER_BYTES + MAX_ULPFEC_HEADER_BYTES : MAX_FLEXFEC_HEADER_BYTES;
		// What is protected has the extension once, and the packet has one of its own.
		const longest = maxBytes - RTP_HEADER_BYTES - header - 2 * this.#extension.length;
		this.#maxBytes = Math.min(longest, MAX_PROTECTED_BYTES - this.#extension.length);
		this.#buffer = new Uint8Array(RTP_HEADER_BYTES + header + MAX_PROTECTED_BYTES);
		this.#policy = new FecPolicy(format.flexfec !== null || hasPictureNumbers(track.track.codec.name));
	}

	/** Only then are packets to be given to {@link add}. */
	get isActive(): boolean {
		return this.#policy.isActive;
	}

	/** What the viewer says. `hasRoom`: the network carries more than what is sent now. */
	report({ fractionLost, highestSequence }: ReportBlock, rttMs: number | null, hasRoom: boolean): void {
		const packets = Math.min(MAX_REPORTED, Math.max(0, highestSequence - (this.#reported ?? highestSequence)));
		this.#reported = highestSequence;
		this.#policy.report({ fractionLost: fractionLost / 256, packets, rttMs, hasRoom });
		if (!this.#policy.isActive) this.#drop();
	}

	/**
	 * Takes note of a packet that was sent as `sequence`. Its bytes are kept. Gives the packets that are to be sent right
	 * after it: 12 bytes for a header, of which the time stamp is written, and the payload.
	 */
	add(sequence: number, bytes: Uint8Array, offset: number, length: number, nowMs: number): readonly FecPacket[] {
		const last = this.#held[this.#count - 1];
		const timestamp = u32(bytes, offset + 4);
		// A picture whose end did not come is not whole: nothing is gained by protecting it.
		if (last !== undefined && last.second < 0x80 && last.timestamp !== timestamp) this.#drop();
		this.#hold(sequence, bytes, offset, length, timestamp);
		if (this.#count === 1) this.#sinceMs = nowMs;
		if (u8(bytes, offset + 1) < 0x80) return NO_PACKETS;
		this.#pictureMs += (Math.min(1_000, nowMs - this.#lastPictureMs) - this.#pictureMs) / 8;
		this.#lastPictureMs = nowMs;
		if (this.#policy.waits(this.#count, nowMs - this.#sinceMs + this.#pictureMs)) return NO_PACKETS;
		return this.#end();
	}

	#hold(sequence: number, bytes: Uint8Array, offset: number, length: number, timestamp: number): void {
		const packet = this.#packet;
		if (this.#count >= MAX_HELD || !readRtpPacket(packet, bytes, offset, length)) return;
		if (packet.payloadLength > this.#maxBytes) return;
		let held = this.#held[this.#count];
		if (held === undefined) {
			held = { sequence: 0, second: 0, timestamp: 0, bytes: NOTHING, at: 0, length: 0 };
			this.#held.push(held);
		}
		this.#count++;
		held.sequence = sequence;
		held.second = (packet.marker ? 0x80 : 0) | this.#payloadType;
		held.timestamp = timestamp;
		held.bytes = bytes;
		held.at = packet.payloadOffset;
		held.length = packet.payloadLength;
	}

	#end(): readonly FecPacket[] {
		const held = this.#held;
		const first = held[0];
		if (first === undefined || this.#count < this.#policy.minGroup) {
			this.#drop();
			return NO_PACKETS;
		}
		const packets = interleave(this.#count, this.#policy.groupSize, this.#span).flatMap((places) => {
			const group = places.flatMap((place) => held[place] ?? []);
			return this.#isNarrow(group) ? [this.#write(group)] : [];
		});
		this.#drop();
		return packets;
	}

	/** What the publisher lost makes groups wider. */
	#isNarrow(group: readonly Held[]): boolean {
		return (((group.at(-1)?.sequence ?? 0) - (group[0]?.sequence ?? 0)) & 0xffff) < this.#span;
	}

	#write(group: readonly Held[]): FecPacket {
		const sum = this.#sum;
		clearFecSum(sum);
		let timestamp = 0;
		for (const { second, timestamp: time, bytes, at, length } of group) {
			addPartsToFecSum(sum, this.#first, second, time, this.#extension, bytes, at, length);
			timestamp = time;
		}
		const base = group[0]?.sequence ?? 0;
		const distances = group.map(({ sequence }) => (sequence - base) & 0xffff);
		const out = this.#buffer;
		const at = RTP_HEADER_BYTES;
		let length: number;
		if (this.#format.flexfec !== null) {
			length = writeFlexfec(out, at, sum, this.#ssrc, base, distances);
		} else {
			out[at] = this.#format.ulpfec?.ulpfec ?? 0;
			length = RED_HEADER_BYTES + writeUlpfec(out, at + RED_HEADER_BYTES, sum, base, distances);
		}
		out[0] = 0x80;
		putU16(out, 2, 0);
		putU32(out, 4, timestamp);
		return out.slice(0, at + length);
	}

	#drop(): void {
		for (let i = 0; i < this.#count; i++) {
			const held = this.#held[i];
			if (held !== undefined) held.bytes = NOTHING;
		}
		this.#count = 0;
	}
}

/** Of other codecs a viewer cannot tell a lost FEC packet from a lost picture, and waits for either. */
function hasPictureNumbers(codec: string): boolean {
	return codec === "VP8" || codec === "VP9";
}
