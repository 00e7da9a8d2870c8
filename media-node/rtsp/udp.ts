/** The two UDP sockets of all RTSP sessions: RTP and RTCP. Peers are told apart by their address and port. */

import dgram from "node:dgram";
import { isIPv4 } from "node:net";
import { unmapped } from "#shared/access/ip-range.ts";
import { InputError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import type { DatagramRun } from "./datagram-runs.ts";
import { RunSender, segmentationOf } from "./udp-segmentation.ts";

export type UdpPacketHandler = (bytes: Uint8Array) => void;

export type UdpOptions = {
	readonly rtp: { readonly host: string; readonly port: number };
	readonly rtcp: { readonly host: string; readonly port: number };
	/** Which settings have the ports, for messages. */
	readonly keys: { readonly rtp: string; readonly rtcp: string };
	/** Of each socket; 0: {@link RECEIVE_BUFFER_BYTES}. */
	readonly readBufferBytes: number;
	readonly log: Logger;
};

/** Bursts of key frames come faster than they are read. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

export class UdpSockets implements AsyncDisposable {
	readonly rtp: UdpSocket;
	readonly rtcp: UdpSocket;

	private constructor(rtp: UdpSocket, rtcp: UdpSocket) {
		this.rtp = rtp;
		this.rtcp = rtcp;
	}

	/** @throws InputError `listen.in_use` */
	static async open({ rtp, rtcp, keys, readBufferBytes, log }: UdpOptions): Promise<UdpSockets> {
		const bytes = readBufferBytes === 0 ? RECEIVE_BUFFER_BYTES : readBufferBytes;
		const first = await UdpSocket.open(rtp, keys.rtp, bytes, log);
		try {
			return new UdpSockets(first, await UdpSocket.open(rtcp, keys.rtcp, bytes, log));
		} catch (error) {
			await first[Symbol.asyncDispose]();
			throw error;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all([this.rtp[Symbol.asyncDispose](), this.rtcp[Symbol.asyncDispose]()]);
	}
}

export class UdpSocket implements AsyncDisposable {
	readonly port: number;
	/** Runs of packets go in one send each; where not, {@link send} is the shorter way. */
	readonly sendsRuns: boolean;
	readonly #socket: dgram.Socket;
	readonly #runs: RunSender;
	readonly #isV6: boolean;
	readonly #handlers = new Map<string, UdpPacketHandler>();
	/** Packets of nobody that we know. */
	strangers = 0;

	private constructor(socket: dgram.Socket, isV6: boolean, log: Logger, key: string) {
		this.#socket = socket;
		this.#isV6 = isV6;
		this.port = socket.address().port;
		const segmentation = segmentationOf(socket);
		this.sendsRuns = segmentation !== null;
		this.#runs = new RunSender(socket, segmentation);
		socket.on("message", (bytes, peer) => {
			const handler = this.#handlers.get(nameOf(unmapped(peer.address), peer.port));
			if (handler === undefined) this.strangers++;
			else handler(bytes);
		});
		// A peer that is gone answers with ICMP, which is no fault of the socket.
		socket.on("error", (error) => log.warn({ err: error, key }, "A UDP socket reports an error"));
	}

	static async open(
		{ host, port }: { readonly host: string; readonly port: number },
		key: string,
		bytes: number,
		log: Logger,
	): Promise<UdpSocket> {
		const isV6 = host === "" || host.includes(":");
		try {
			return await UdpSocket.#bind(isV6, { host, port, key, bytes, log });
		} catch (error) {
			// A machine without IPv6 cannot bind to every address of both families.
			if (host !== "" || !isCode(error, "EAFNOSUPPORT", "EADDRNOTAVAIL")) throw error;
			return UdpSocket.#bind(false, { host, port, key, bytes, log });
		}
	}

	static #bind(
		isV6: boolean,
		{ host, port, key, bytes, log }: { host: string; port: number; key: string; bytes: number; log: Logger },
	): Promise<UdpSocket> {
		const socket = dgram.createSocket({
			type: isV6 ? "udp6" : "udp4",
			recvBufferSize: bytes,
			// Addresses are given as numbers: nothing is to be looked up, least of all for each packet.
			lookup: (address, _options, callback) => callback(null, address, isV6 ? 6 : 4),
		});
		return new Promise((resolve, reject) => {
			socket.once("error", (cause) => {
				socket.close();
				reject(isCode(cause, "EADDRINUSE") ? inUse(port, key, cause) : cause);
			});
			socket.bind({ port, ...(host === "" ? {} : { address: host }) }, () => {
				socket.removeAllListeners("error");
				resolve(new UdpSocket(socket, isV6, log, key));
			});
		});
	}

	/** Hands every packet of a peer to `handler`, until disposed. `null`: another session has that peer. */
	receive(address: string, port: number, handler: UdpPacketHandler): Disposable | null {
		const name = nameOf(address, port);
		if (this.#handlers.has(name)) return null;
		this.#handlers.set(name, handler);
		return { [Symbol.dispose]: () => void this.#handlers.delete(name) };
	}

	/**
	 * Sends one packet. What the network does not take is lost, as on any way. A socket that sends runs must be sent RTP
	 * by {@link sendRun} alone: its packets would be cut as those of the last run.
	 */
	send(bytes: Uint8Array, address: string, port: number): void {
		this.#socket.send(bytes, port, this.#mapped(address), ignore);
	}

	/** Sends the packets of a run. What the network does not take is lost, as on any way. */
	sendRun(run: DatagramRun, address: string, port: number): void {
		this.#runs.send(run, this.#mapped(address), port);
	}

	#mapped(address: string): string {
		return this.#isV6 && isIPv4(address) ? `::ffff:${address}` : address;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await new Promise<void>((resolve) => this.#socket.close(resolve));
	}
}

/** With a callback, an error of one packet stays with that packet. */
function ignore(): void {}

function nameOf(address: string, port: number): string {
	return `${address} ${port}`;
}

function isCode(error: unknown, ...codes: string[]): boolean {
	return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function inUse(port: number, key: string, cause: Error): InputError {
	return new InputError(
		"listen.in_use",
		`UDP port ${port} (${key}) is in use. Stop what uses it, or set ${key} to another port`,
		{
			data: { port, key, transport: "udp" },
			cause,
		},
	);
}
