/** What becomes of the RTP and RTCP datagrams of a source: packets of its tracks, which are told apart by payload type. */

import type { Clock } from "#shared/clock.ts";
import { hasCode } from "#shared/problem.ts";
import { unixMsOf } from "../rtp/ntp.ts";
import { ReorderBuffer } from "../rtp/reorder.ts";
import { parseRtcp, type RtcpPacket } from "../rtp/rtcp-packet.ts";
import { isRtcp, newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import type { Publication } from "../stream/publication.ts";
import { TrustedSender } from "./sender.ts";

/** Reports of sources of which there was no packet yet: the newest are kept. */
const MAX_EARLY_REPORTS = 16;

export type RtpReceptionOptions = {
	/** Of each track, all different. */
	readonly payloadTypes: readonly number[];
	readonly clock: Clock;
	/** After so long, another sender may take over a track. */
	readonly readTimeoutMs: number;
	/** The publication, for the first packet that counts; `sender` is its host and port. */
	readonly open: (sender: string) => Publication;
};

type Reception = { readonly sender: TrustedSender; reorder: ReorderBuffer };
type Report = { readonly wallclockMs: number; readonly rtpTime: number };

/** Its methods never throw. */
export class RtpReception {
	readonly #options: RtpReceptionOptions;
	readonly #trackOf: ReadonlyMap<number, number>;
	readonly #tracks: readonly Reception[];
	readonly #packet = newRtpPacket();
	/** By the address and the SSRC that sent them. */
	readonly #early = new Map<string, Report>();
	#publication: Publication | null = null;
	/** RTCP packets that could not be read. */
	rtcpErrors = 0;
	/** RTP packets of no payload type of the description. */
	unknown = 0;

	constructor(options: RtpReceptionOptions) {
		const { payloadTypes, clock, readTimeoutMs } = options;
		this.#options = options;
		this.#trackOf = new Map(payloadTypes.map((payloadType, track) => [payloadType, track]));
		this.#tracks = payloadTypes.map(() => ({
			sender: new TrustedSender(clock, readTimeoutMs),
			reorder: new ReorderBuffer(),
		}));
	}

	/** Packets of others than the believed senders. */
	get strangers(): number {
		return this.#tracks.reduce((sum, { sender }) => sum + sender.strangers, 0);
	}

	/** A datagram of the RTP port: RTP, or RTCP beside it (RFC 5761). Kept by reference. Says whether it was media that counts. */
	datagram(bytes: Uint8Array, address: string, port: number): boolean {
		if (isRtcp(bytes)) {
			this.rtcp(bytes, address);
			return false;
		}
		const packet = this.#packet;
		if (!readRtpPacket(packet, bytes, 0, bytes.length)) return false;
		const track = this.#trackOf.get(packet.payloadType);
		const reception = track === undefined ? undefined : this.#tracks[track];
		if (track === undefined || reception === undefined) {
			this.unknown++;
			return false;
		}
		const { ssrc } = packet;
		const whose = reception.sender.hears(address, port, ssrc);
		if (whose === "stranger") return false;
		this.#publication ??= this.#options.open(reception.sender.name);
		if (whose === "new") this.#begin(track, reception, address, ssrc);
		this.#write(track, reception.reorder.push(bytes, this.#options.clock.monotonic()));
		return true;
	}

	/** A datagram of the RTCP port. */
	rtcp(bytes: Uint8Array, address: string): void {
		try {
			for (const packet of parseRtcp(bytes)) this.#control(packet, address);
		} catch (error) {
			if (!hasCode(error, "bytes.truncated", "bytes.malformed")) throw error;
			this.rtcpErrors++;
		}
	}

	/** Gives up what is late. Called about once a second. */
	tick(): void {
		const nowMs = this.#options.clock.monotonic();
		for (const [track, { reorder }] of this.#tracks.entries()) this.#write(track, reorder.expire(nowMs));
	}

	flush(): void {
		this.#publication?.flush();
	}

	/** Another source begins to send a track. */
	#begin(track: number, reception: Reception, address: string, ssrc: number): void {
		reception.reorder = new ReorderBuffer();
		const key = keyOf(address, ssrc);
		const report = this.#early.get(key);
		if (report === undefined) return;
		this.#early.delete(key);
		this.#publication?.writeSenderReport(track, report);
	}

	#control(packet: RtcpPacket, address: string): void {
		if (packet.type === "SR") {
			const report = { wallclockMs: unixMsOf(packet.ntp), rtpTime: packet.rtpTime };
			const track = this.#tracks.findIndex(({ sender }) => sender.is(address, packet.ssrc));
			if (track === -1) this.#keepEarly(keyOf(address, packet.ssrc), report);
			else this.#publication?.writeSenderReport(track, report);
		} else if (packet.type === "BYE") {
			for (const { sender } of this.#tracks) {
				if (packet.ssrcs.some((ssrc) => sender.is(address, ssrc))) sender.forget();
			}
		}
	}

	#keepEarly(key: string, report: Report): void {
		this.#early.delete(key);
		this.#early.set(key, report);
		const [oldest] = this.#early.keys();
		if (this.#early.size > MAX_EARLY_REPORTS && oldest !== undefined) this.#early.delete(oldest);
	}

	#write(track: number, packets: readonly Uint8Array[]): void {
		for (const packet of packets) this.#publication?.writePacket(track, packet, 0, packet.length);
	}
}

function keyOf(address: string, ssrc: number): string {
	return `${ssrc} ${address}`;
}
