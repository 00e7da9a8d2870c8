/**
 * UDP segmentation offload: one send of many packets, which the network card, or the kernel as late as it can, cuts into
 * datagrams. It costs a small part of a send for each packet. Node.js has no call for it; where it has `node:ffi` and the
 * system is Linux, it takes one `setsockopt` a socket and size, and elsewhere packets are sent one by one.
 */

import type dgram from "node:dgram";
import type { DatagramRun } from "./datagram-runs.ts";

/** Of `<linux/udp.h>` and `<netinet/udp.h>`. */
const SOL_UDP = 17;
const UDP_SEGMENT = 103;

/** The switch of one socket. */
export interface UdpSegmentation {
	/** Cuts what is sent from now on into datagrams of so many bytes; 0 ends that. False: the kernel refuses. */
	set(bytes: number): boolean;
}

/** The part of `node:ffi` that is used. Lengths, pointers and file descriptors are as in C. */
type ForeignFunctions = {
	dlopen(
		library: null,
		functions: { setsockopt: { arguments: readonly string[]; return: string } },
	): { functions: { setsockopt(fd: number, level: number, name: number, value: Int32Array, length: number): number } };
};

const SETSOCKOPT = { arguments: ["i32", "i32", "i32", "buffer", "u32"], return: "i32" } as const;

/** The switch of a socket that is bound; `null` where Node.js or the system cannot do it. */
export function segmentationOf(socket: dgram.Socket): UdpSegmentation | null {
	if (process.platform !== "linux") return null;
	const fd = descriptorOf(socket);
	if (fd === null) return null;
	try {
		const ffi = process.getBuiltinModule("node:ffi") as unknown as ForeignFunctions | undefined;
		const setsockopt = ffi?.dlopen(null, { setsockopt: SETSOCKOPT }).functions.setsockopt;
		if (setsockopt === undefined) return null;
		// A buffer outside of the heap: the call gets its address.
		const value = new Int32Array(new ArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
		const set = (bytes: number): boolean => {
			value[0] = bytes;
			return setsockopt(fd, SOL_UDP, UDP_SEGMENT, value, value.byteLength) === 0;
		};
		// A kernel before 4.18 does not know the option.
		return set(0) ? { set } : null;
	} catch {
		// The interface is experimental, and its use may be forbidden to this process: it is not needed.
		return null;
	}
}

/** The file descriptor, which the socket keeps to itself. */
function descriptorOf(socket: dgram.Socket): number | null {
	const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "state symbol");
	if (symbol === undefined) return null;
	const state = (socket as unknown as Record<symbol, { handle?: { fd?: unknown } | null } | undefined>)[symbol];
	const fd = state?.handle?.fd;
	return typeof fd === "number" && fd >= 0 ? fd : null;
}

/** What a send of several packets fails with where they cannot be cut: too large for the way, or no checksums in hardware. */
const REFUSALS: ReadonlySet<unknown> = new Set(["EINVAL", "EIO", "EMSGSIZE", "EOPNOTSUPP"]);
/** More peers than this, and the list of them begins anew. */
const MAX_REFUSED_PEERS = 256;

/** What is needed of a socket. */
type SendingSocket = {
	send(bytes: Uint8Array, port: number, address: string, callback: (error: Error | null) => void): void;
	getSendQueueCount(): number;
};

/**
 * Sends runs of packets over one socket, each in one go where that can be done. What is sent past it over the same socket
 * must be small: a packet larger than those of the last run would be cut. The socket is bound, and its `lookup` answers at
 * once: a send that waited for an address would be cut in the size of a later one.
 */
export class RunSender {
	readonly #socket: SendingSocket;
	readonly #segmentation: UdpSegmentation | null;
	/** To which packets must go one by one. */
	readonly #refused = new Set<string>();
	/** What the socket cuts at; 0: nowhere. */
	#segmentBytes = 0;
	/** Sends that were made. */
	sends = 0;
	/** Packets that were left out, because others of another size waited for the network. */
	packetsDropped = 0;

	/** `segmentation`: of this socket, or `null` to send packets one by one. */
	constructor(socket: SendingSocket, segmentation: UdpSegmentation | null) {
		this.#socket = socket;
		this.#segmentation = segmentation;
	}

	/** Sends the packets of one run. What the network does not take is lost, as on any way. */
	send(run: DatagramRun, address: string, port: number): void {
		const isPossible = run.packets > 1 && this.#segmentation !== null;
		if (!isPossible || (this.#refused.size > 0 && this.#refused.has(nameOf(address, port)))) {
			this.#sendSingly(run, address, port);
			return;
		}
		if (this.#segmentBytes !== run.packetBytes && !this.#change(run.packetBytes)) {
			this.#sendSingly(run, address, port);
			return;
		}
		this.sends++;
		this.#socket.send(run.bytes, port, address, (error) => {
			if (error !== null && "code" in error && REFUSALS.has(error.code)) this.#refuse(run, address, port);
		});
	}

	#sendSingly({ bytes, packetBytes, packets }: DatagramRun, address: string, port: number): void {
		// What is larger than the segments would be cut as well.
		if (this.#segmentBytes !== 0 && packetBytes > this.#segmentBytes && !this.#change(0)) {
			this.packetsDropped += packets;
			return;
		}
		for (let at = 0; at < bytes.length; at += packetBytes) {
			this.sends++;
			this.#socket.send(bytes.subarray(at, at + packetBytes), port, address, ignore);
		}
	}

	/** What waits in the socket's queue would be cut in the new size: then it stays as it is. */
	#change(segmentBytes: number): boolean {
		if (this.#socket.getSendQueueCount() > 0 || this.#segmentation?.set(segmentBytes) !== true) return false;
		this.#segmentBytes = segmentBytes;
		return true;
	}

	/** Each send tells of its failure by itself, so that all of them are made again. */
	#refuse(run: DatagramRun, address: string, port: number): void {
		if (this.#refused.size >= MAX_REFUSED_PEERS) this.#refused.clear();
		this.#refused.add(nameOf(address, port));
		this.#sendSingly(run, address, port);
	}
}

/** With a callback, an error of one packet stays with that packet. */
function ignore(): void {}

function nameOf(address: string, port: number): string {
	return `${address} ${port}`;
}
