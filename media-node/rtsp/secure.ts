/** SRTP of RTSPS sessions: keys that are told over the connection by MIKEY. RFC 3711, RFC 3830, RFC 4567. */

import { randomBytes } from "node:crypto";
import { ProtocolError } from "#shared/problem.ts";
import { u16, u32 } from "../bytes/big-endian.ts";
import { parseMikey, writeMikey } from "../srtp/mikey.ts";
import { keysOf, mikeyFor } from "../srtp/mikey-keys.ts";
import type { SrtpMasterKey } from "../srtp/profile.ts";
import { SrtcpContext } from "../srtp/srtcp-context.ts";
import { SrtpContext } from "../srtp/srtp-context.ts";
import type { Numbering, ReadableStreamOfPath } from "../stream/publication.ts";
import { INTERLEAVED_HEADER_BYTES, PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";

/** What authentication adds at most, with room for an SRTCP index. */
const MAX_OVERHEAD_BYTES = 32;
const MAX_MESSAGE_LENGTH = 4 * 1024;

function newMaster(): SrtpMasterKey {
	return { profile: "AES_CM_128_HMAC_SHA1_80", key: randomBytes(16), salt: randomBytes(14) };
}

/** What we send in one direction: one key, told to the peer. */
export class Sealer {
	readonly #master = newMaster();
	readonly #rtp = new SrtpContext(this.#master);
	readonly #rtcp = new SrtcpContext(this.#master);

	/** The message for the peer, in base64. `rollover`: of the first packet that it will get. */
	message(ssrc: number, nowMs: number, rollover = this.#rtp.rolloverOf(ssrc)): string {
		const { key, salt } = this.#master;
		const offer = mikeyFor({ key, salt, ssrcs: [{ ssrc, rollover }], nowMs });
		return Buffer.from(writeMikey(offer)).toString("base64");
	}

	/** The next packet to be sealed has this index: those before it may not have been. */
	follow(ssrc: number, index: number): void {
		this.#rtp.follow(ssrc, index);
	}

	/** Encrypts one RTP packet into `out`; its length, or -1 when it cannot be sent. */
	sealRtp(bytes: Uint8Array, offset: number, length: number, out: Uint8Array, outOffset: number): number {
		return this.#rtp.protect(bytes, offset, length, out, outOffset);
	}

	/** One RTP packet, encrypted in a buffer of its own; empty when it cannot be sent. */
	sealRtpPacket(packet: Uint8Array): Uint8Array {
		const out = new Uint8Array(packet.length + MAX_OVERHEAD_BYTES);
		return out.subarray(0, Math.max(0, this.sealRtp(packet, 0, packet.length, out, 0)));
	}

	sealRtcp(packet: Uint8Array): Uint8Array {
		const out = new Uint8Array(packet.length + MAX_OVERHEAD_BYTES);
		const length = this.#rtcp.protect(packet, 0, packet.length, out, 0);
		return out.subarray(0, Math.max(0, length));
	}
}

/** One stream as its RTSPS readers get it: encrypted once, for all of them. */
export class StreamSealer extends Sealer {
	/** Batches never change, and neither does what becomes of them. */
	readonly #sealed = new WeakMap<RtpBatch, RtpBatch>();
	readonly #numbering: Numbering;

	constructor(numbering: Numbering) {
		super();
		this.#numbering = numbering;
	}

	/** The message for who is going to read a track. One that is not a track of the stream has nothing to count yet. */
	messageFor(stream: ReadableStreamOfPath, track: number, nowMs: number): string {
		if (track >= stream.tracks.length) return this.message(0, nowMs, 0);
		const next = this.#numbering.indexOf(track);
		// It may begin with packets that were kept for it.
		const first = indexNear(next, stream.position(track)?.sequence ?? next);
		return this.message(stream.ssrcOf(track), nowMs, Math.floor(first / 2 ** 16));
	}

	seal(batch: RtpBatch): RtpBatch {
		let sealed = this.#sealed.get(batch);
		if (sealed === undefined) {
			sealed = this.#encrypt(batch);
			this.#sealed.set(batch, sealed);
		}
		return sealed;
	}

	#encrypt(batch: RtpBatch): RtpBatch {
		const count = batch.packets.length / PACKET_STRIDE;
		const out = Buffer.allocUnsafeSlow(batch.bytes.length + count * MAX_OVERHEAD_BYTES);
		const packets: number[] = [];
		let at = 0;
		for (let i = 0; i < batch.packets.length; i += PACKET_STRIDE) {
			const offset = batch.packets[i + 1] as number;
			const start = offset - INTERLEAVED_HEADER_BYTES;
			const to = at + INTERLEAVED_HEADER_BYTES;
			const next = this.#numbering.indexOf(batch.packets[i] as number);
			this.follow(u32(batch.bytes, offset + 8), indexNear(next, u16(batch.bytes, offset + 2)));
			const length = this.sealRtp(batch.bytes, offset, batch.packets[i + 2] as number, out, to);
			if (length < 0) continue;
			out.set(batch.bytes.subarray(start, start + 2), at);
			out.writeUInt16BE(length, at + 2);
			packets.push(batch.packets[i] as number, to, length);
			at = to + length;
		}
		return { ...batch, bytes: out.subarray(0, at), packets };
	}
}

/** The index of a packet of this number, within half a cycle of `index`; no less than 0. */
function indexNear(index: number, sequence: number): number {
	return Math.max(0, index + (((sequence - index) << 16) >> 16));
}

const sealers = new WeakMap<object, StreamSealer>();

/** The sealer of a stream: one for as long as its packets are numbered on. */
export function sealerOf(stream: ReadableStreamOfPath): StreamSealer {
	let sealer = sealers.get(stream.numbering);
	if (sealer === undefined) {
		sealer = new StreamSealer(stream.numbering);
		sealers.set(stream.numbering, sealer);
	}
	return sealer;
}

/** What a peer sends: its own key, and ours for the reports that it gets. */
export class Opener {
	readonly reports: Sealer;
	readonly #rtp: SrtpContext;
	readonly #rtcp: SrtcpContext;

	/** `message`: MIKEY in base64. @throws ProtocolError `bytes.truncated`, `bytes.malformed`, `media.unsupported` */
	constructor(message: string, reports = new Sealer()) {
		this.reports = reports;
		if (message.length > MAX_MESSAGE_LENGTH) throw new ProtocolError("bytes.limit", "The MIKEY message is too long");
		const { master, encryptsRtcp, sources } = keysOf(parseMikey(new Uint8Array(Buffer.from(message, "base64"))));
		this.#rtp = new SrtpContext(master);
		this.#rtcp = new SrtcpContext(master, { encrypts: encryptsRtcp });
		for (const { ssrc, rollover } of sources) this.#rtp.setRollover(ssrc, rollover);
	}

	/** The packet in plain, in a buffer of its own; `null` for one that is not authentic. */
	openRtp(bytes: Uint8Array, offset: number, length: number): Uint8Array | null {
		const out = new Uint8Array(length);
		const plain = this.#rtp.unprotect(bytes, offset, length, out, 0);
		return plain < 0 ? null : out.subarray(0, plain);
	}

	openRtcp(bytes: Uint8Array, offset: number, length: number): Uint8Array | null {
		const out = new Uint8Array(length);
		const plain = this.#rtcp.unprotect(bytes, offset, length, out, 0);
		return plain < 0 ? null : out.subarray(0, plain);
	}
}

/** The MIKEY message in a KeyMgmt header (RFC 4567 §3.2) or behind `a=key-mgmt:`; `null` when there is none. */
export function keyManagementOf(text: string): string | null {
	const header = /prot *= *"?mikey"?.*?data *= *"([^"]*)"/is.exec(text)?.[1];
	return header ?? /^mikey +(\S+)/i.exec(text.trim())?.[1] ?? null;
}

/** The KeyMgmt header that tells a message. */
export function writeKeyManagement(url: string, message: string): string {
	return `prot=mikey;uri="${url.replaceAll('"', "")}";data="${message}"`;
}
