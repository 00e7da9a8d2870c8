/** The way on which one media of a source comes: channels of the connection, or UDP sockets of our own. */

import { isIP } from "node:net";
import { writeRtcp } from "../rtp/rtcp-packet.ts";
import { RTP_HEADER_BYTES, writeRtpHeader } from "../rtp/rtp-packet.ts";
import type { TransportAnswer } from "./client-transport.ts";
import type { UdpPair } from "./client-udp.ts";
import { frameOf } from "./interleaved.ts";
import type { Reception } from "./reception.ts";
import type { Opener } from "./secure.ts";

/** Interleaved: RTP and RTCP channels. */
export type ChannelWay = { readonly protocol: "tcp"; readonly channels: readonly [number, number] };
export type MediaWay = ChannelWay | DatagramWay;

export type DatagramOptions = {
	readonly pair: UdpPair;
	/** Where the server is, as its connection shows it. */
	readonly serverAddress: string;
	readonly answer: TransportAnswer;
	/** Of multicast. */
	readonly group: { readonly address: string; readonly port: number } | null;
	/** Its packets may come from any port of it. */
	readonly isAnyPort: boolean;
	/** Of what comes and is sent as SRTP; `null` when it is in plain. */
	readonly opener: Opener | null;
};

export class DatagramWay {
	readonly protocol = "udp";
	readonly #options: DatagramOptions;
	readonly #addresses: readonly string[];
	/** How often the way was opened. */
	#opened = 0;
	/** Where from the last packets came: where to reports go. */
	#heardFrom: string | null = null;
	#heardPorts: [number | null, number | null] = [null, null];

	constructor(options: DatagramOptions) {
		this.#options = options;
		const { source } = options.answer;
		const said = source !== null && isIP(source) !== 0 && !/^(0\.0\.0\.0|::)$/.test(source) ? [source] : [];
		this.#addresses = [...new Set([options.serverAddress, ...said].map(withoutScope))];
	}

	/** Begins to hand what the server sends to `reception`. */
	attach(reception: Reception, track: number): void {
		const { pair, opener } = this.#options;
		pair.receive(
			(bytes, address, port) => {
				if (!this.#isServer(0, address, port)) return;
				const plain = opener === null ? bytes : opener.openRtp(bytes, 0, bytes.length);
				if (plain === null) return;
				this.#heardFrom = address;
				this.#heardPorts[0] = port;
				reception.datagram(track, plain);
			},
			(bytes, address, port) => {
				if (!this.#isServer(1, address, port)) return;
				const plain = opener === null ? bytes : opener.openRtcp(bytes, 0, bytes.length);
				if (plain === null) return;
				this.#heardPorts[1] = port;
				reception.rtcp(track, plain, 0, plain.length);
			},
		);
	}

	/**
	 * Sends packets without content, for a firewall or a router between to take what comes back for an answer: an RTP
	 * header, and a report of nothing.
	 */
	open(ssrc: number): void {
		const { pair, answer, group } = this.#options;
		if (group !== null || answer.serverPorts === null) return;
		const rtp = new Uint8Array(RTP_HEADER_BYTES);
		writeRtpHeader(rtp, 0, { marker: false, payloadType: 0, sequence: this.#opened, timestamp: 0, ssrc });
		// SRTP never has one number twice.
		this.#opened = (this.#opened + 1) & 0xffff;
		const sealedRtp = this.#sealedRtp(rtp);
		const rtcp = this.#sealedRtcp(writeRtcp([{ type: "RR", ssrc, reports: [] }]));
		for (const address of this.#addresses) {
			pair.sendRtp(sealedRtp, address, answer.serverPorts[0]);
			pair.sendRtcp(rtcp, address, answer.serverPorts[1]);
		}
	}

	/** The server said where it wants to be sent to. */
	get canSay(): boolean {
		return this.#options.answer.serverPorts !== null;
	}

	/** Sends an RTP packet of ours; to nobody when the server did not say where to. */
	say(packet: Uint8Array): void {
		const { pair, answer, serverAddress } = this.#options;
		const port = answer.serverPorts?.[0];
		if (port !== undefined) pair.sendRtp(this.#sealedRtp(packet), this.#addresses[1] ?? serverAddress, port);
	}

	/** Sends a receiver report; to nobody as long as it is not known where to. */
	report(plain: Uint8Array): void {
		const packet = this.#sealedRtcp(plain);
		const { pair, answer, group, serverAddress } = this.#options;
		if (group !== null) {
			pair.sendRtcp(packet, group.address, group.port + 1);
			return;
		}
		const [rtpPort, rtcpPort] = this.#heardPorts;
		const port = rtcpPort ?? answer.serverPorts?.[1] ?? (rtpPort === null ? null : rtpPort + 1);
		if (port !== null && port <= 65_535) pair.sendRtcp(packet, this.#heardFrom ?? serverAddress, port);
	}

	#sealedRtp(plain: Uint8Array): Uint8Array {
		return this.#options.opener?.reports.sealRtpPacket(plain) ?? plain;
	}

	#sealedRtcp(plain: Uint8Array): Uint8Array {
		return this.#options.opener?.reports.sealRtcp(plain) ?? plain;
	}

	#isServer(index: 0 | 1, address: string, port: number): boolean {
		const { answer, group, isAnyPort } = this.#options;
		if (!this.#addresses.includes(withoutScope(address))) return false;
		return isAnyPort || group !== null || answer.serverPorts === null || answer.serverPorts[index] === port;
	}
}

/** A link-local IPv6 address without the name of the interface behind it. */
function withoutScope(address: string): string {
	return address.replace(/%.*$/, "").toLowerCase();
}

/** The frame that carries a receiver report on a way that is a channel. */
export function reportFrame({ channels }: ChannelWay, packet: Uint8Array): Uint8Array {
	return frameOf(channels[1], packet);
}
