/** The UDP sockets of one media that we pull: two neighbouring ports of our own, or those of a multicast group. */

import { randomInt } from "node:crypto";
import dgram from "node:dgram";
import { isIPv6 } from "node:net";
import { unmapped } from "#shared/access/ip-range.ts";
import { InputError, ProtocolError } from "#shared/problem.ts";

/** Bursts of key frames come faster than they are read. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;
/** Pairs that are tried before the range counts as full. */
const MAX_ATTEMPTS = 100;

export type DatagramHandler = (bytes: Uint8Array, address: string, port: number) => void;

/** A pair of bound sockets. What the network does not take, or answers with ICMP, is lost as on any way. */
export class UdpPair implements AsyncDisposable {
	readonly rtpPort: number;
	readonly #rtp: dgram.Socket;
	readonly #rtcp: dgram.Socket;
	#closing: Promise<void> | null = null;

	private constructor(rtp: dgram.Socket, rtcp: dgram.Socket) {
		this.#rtp = rtp;
		this.#rtcp = rtcp;
		this.rtpPort = rtp.address().port;
		for (const socket of [rtp, rtcp]) socket.on("error", () => {});
	}

	/**
	 * Binds an even port of the range and the one above. RFC 3550 §11.
	 * @throws InputError `listen.in_use` when no pair is free
	 */
	static async open([from, to]: readonly [number, number], isV6: boolean): Promise<UdpPair> {
		const first = from + (from % 2);
		const pairs = Math.floor((to - first + 1) / 2);
		const start = pairs > 0 ? randomInt(pairs) : 0;
		for (let attempt = 0; attempt < Math.min(pairs, MAX_ATTEMPTS); attempt++) {
			const port = first + 2 * ((start + attempt) % pairs);
			const pair = await bindPair(port, { isV6, isShared: false });
			if (pair !== null) return new UdpPair(...pair);
		}
		throw new InputError(
			"listen.in_use",
			`No two neighbouring UDP ports are free in rtspUDPSourcePortRange ${from}-${to}. Make it larger, or set rtspTransport to tcp`,
		);
	}

	/**
	 * Joins a group, on the interface that has the address `local`.
	 * @throws ProtocolError `rtsp.transport` when the address is no group, or the network does not let us join
	 */
	static async join(group: string, rtpPort: number, local: string): Promise<UdpPair> {
		const isV6 = isIPv6(group);
		if (!(isV6 ? /^ff/i.test(group) : /^2(2[4-9]|3\d)\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(group))) {
			throw new ProtocolError("rtsp.transport", "The source names a multicast group that is none");
		}
		// Bound to the group, sockets do not hear other groups of the same port; some systems do not let them be.
		const pair =
			(await bindPair(rtpPort, { isV6, isShared: true, address: group })) ??
			(await bindPair(rtpPort, { isV6, isShared: true }));
		if (pair === null) {
			throw new ProtocolError("rtsp.transport", `The UDP ports ${rtpPort} and ${rtpPort + 1} of the group are in use`);
		}
		try {
			// An IPv6 interface has a name, not an address; the system's choice is taken.
			for (const socket of pair) socket.addMembership(group, isV6 ? undefined : local);
		} catch (cause) {
			for (const socket of pair) socket.close();
			throw new ProtocolError("rtsp.transport", `The multicast group ${group} cannot be joined`, { cause });
		}
		return new UdpPair(...pair);
	}

	/** Begins to hand on what comes from anywhere; the bytes are the handler's. */
	receive(onRtp: DatagramHandler, onRtcp: DatagramHandler): void {
		this.#rtp.on("message", (bytes, { address, port }) => onRtp(bytes, unmapped(address), port));
		this.#rtcp.on("message", (bytes, { address, port }) => onRtcp(bytes, unmapped(address), port));
	}

	sendRtp(bytes: Uint8Array, address: string, port: number): void {
		if (this.#closing === null) this.#rtp.send(bytes, port, address, ignore);
	}

	sendRtcp(bytes: Uint8Array, address: string, port: number): void {
		if (this.#closing === null) this.#rtcp.send(bytes, port, address, ignore);
	}

	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= Promise.all(
			[this.#rtp, this.#rtcp].map((socket) => {
				socket.removeAllListeners("message");
				return new Promise<void>((resolve) => socket.close(() => resolve()));
			}),
		).then(ignore);
		return this.#closing;
	}
}

/** With a callback, an error of one packet stays with that packet. */
function ignore(): void {}

type BindOptions = { readonly isV6: boolean; readonly isShared: boolean; readonly address?: string };

async function bindPair(port: number, options: BindOptions): Promise<[dgram.Socket, dgram.Socket] | null> {
	if (port < 1 || port >= 65_535) return null;
	const rtp = await bind(port, options);
	if (rtp === null) return null;
	const rtcp = await bind(port + 1, options);
	if (rtcp !== null) return [rtp, rtcp];
	rtp.close();
	return null;
}

/** `null` when the port is taken, or may not be. */
function bind(port: number, { isV6, isShared, address }: BindOptions): Promise<dgram.Socket | null> {
	const socket = dgram.createSocket({
		type: isV6 ? "udp6" : "udp4",
		reuseAddr: isShared,
		recvBufferSize: RECEIVE_BUFFER_BYTES,
		// Addresses are given as numbers: nothing is to be looked up, least of all for each packet.
		lookup: (numeric, _options, callback) => callback(null, numeric, isV6 ? 6 : 4),
	});
	return new Promise((resolve) => {
		socket.once("error", () => {
			socket.close();
			resolve(null);
		});
		socket.bind({ port, ...(address === undefined ? {} : { address }) }, () => {
			socket.removeAllListeners("error");
			resolve(socket);
		});
	});
}
