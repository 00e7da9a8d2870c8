/** The sockets of sources that listen: for datagrams to an address of this machine, or to a multicast group. */

import dgram from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { throwIfAborted } from "#shared/clock.ts";
import { GoneError, InputError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { isGroup, type ListenUrl, plainAddress } from "./listen-url.ts";

/** The bytes are the receiver's. `address` is as {@link plainAddress} has it. */
export type DatagramHandler = (bytes: Uint8Array, address: string, port: number) => void;

export type UdpListenerOptions = {
	readonly listen: ListenUrl;
	/** Instead of the URL's; 0: one that is free. */
	readonly port?: number;
	/** For the socket's buffer; 0: what the system takes. */
	readonly readBufferBytes: number;
	readonly log: Logger;
	/** What comes from `listen.source`, or from anybody when that is `null`. */
	readonly onDatagram: DatagramHandler;
	/** The socket is of no use any more. Called at most once, and not after the end. */
	readonly onFailed: (error: SluiceError) => void;
};

export class UdpListener implements AsyncDisposable {
	readonly port: number;
	readonly #socket: dgram.Socket;
	#closing: Promise<void> | null = null;

	private constructor(socket: dgram.Socket) {
		this.#socket = socket;
		this.port = socket.address().port;
	}

	/**
	 * Binds, and joins the group when the address is one of a group.
	 * @throws InputError `listen.in_use`; `config.invalid` when the address, the interface or the group is not to be had
	 * @throws GoneError `aborted`
	 */
	static async open(options: UdpListenerOptions, signal: AbortSignal): Promise<UdpListener> {
		const { listen, readBufferBytes, log } = options;
		const port = options.port ?? listen.port;
		const address = isIP(listen.host) === 0 ? await resolved(listen.host) : listen.host;
		throwIfAborted(signal);
		const socket = await bound(address, port);
		try {
			throwIfAborted(signal);
			if (isGroup(address)) join(socket, address, listen, log);
		} catch (error) {
			await new Promise<void>((resolve) => socket.close(() => resolve()));
			throw error;
		}
		if (readBufferBytes > 0) enlarge(socket, readBufferBytes, log);
		const listener = new UdpListener(socket);
		const source = listen.source === null ? null : plainAddress(listen.source);
		socket.on("message", (bytes, from) => {
			const sender = plainAddress(from.address);
			if (source === null || sender === source) options.onDatagram(bytes, sender, from.port);
		});
		socket.on("error", (cause) => {
			if (listener.#closing !== null) return;
			void listener[Symbol.asyncDispose]();
			options.onFailed(new GoneError("session.closed", `The UDP socket of port ${port} failed`, { cause }));
		});
		return listener;
	}

	/** Hears nothing more, and gives the port back. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= new Promise<void>((resolve) => {
			this.#socket.removeAllListeners("message");
			this.#socket.close(() => resolve());
		});
		return this.#closing;
	}
}

async function resolved(host: string): Promise<string> {
	try {
		return (await lookup(host)).address;
	} catch (cause) {
		throw new InputError("config.invalid", `The source listens on ${host}, which is no name of this machine`, {
			cause,
		});
	}
}

async function bound(address: string, port: number): Promise<dgram.Socket> {
	const isShared = isGroup(address);
	// Bound to the group, a socket does not hear others of its port; Windows has no such thing.
	const local = isShared && process.platform === "win32" ? undefined : address;
	const socket = dgram.createSocket({ type: isIPv6(address) ? "udp6" : "udp4", reuseAddr: isShared });
	await new Promise<void>((resolve, reject) => {
		socket.once("error", (cause: NodeJS.ErrnoException) => {
			socket.close();
			reject(bindError(cause, address, port));
		});
		socket.bind({ port, ...(local === undefined ? {} : { address: local }) }, resolve);
	});
	socket.removeAllListeners("error");
	return socket;
}

function bindError(cause: NodeJS.ErrnoException, address: string, port: number): InputError {
	const { code } = cause;
	if (code === "EADDRINUSE") {
		const message = `UDP port ${port} of ${address} is in use, perhaps by another path's source (one of RTP takes two ports)`;
		return new InputError("listen.in_use", `${message}: let the source send to another port`, { cause });
	}
	const why = code === "EADDRNOTAVAIL" ? "this machine has no such address" : (code ?? "the system refuses");
	return new InputError("config.invalid", `The source cannot listen on UDP port ${port} of ${address}: ${why}`, {
		cause,
	});
}

/** @throws InputError `config.invalid` when no interface joins */
function join(socket: dgram.Socket, group: string, listen: ListenUrl, log: Logger): void {
	const ways = interfacesFor(isIPv6(group), listen.interface);
	let joined = 0;
	let problem: unknown;
	for (const way of ways) {
		try {
			if (listen.source === null) socket.addMembership(group, way);
			else socket.addSourceSpecificMembership(listen.source, group, way);
			joined++;
		} catch (error) {
			problem = error;
			log.debug({ err: error, interface: way }, "A network interface does not join the multicast group");
		}
	}
	if (joined > 0) return;
	const where = listen.interface === null ? "any network interface" : `the network interface ${listen.interface}`;
	throw new InputError("config.invalid", `The multicast group ${group} cannot be joined on ${where}`, {
		cause: problem,
	});
}

/** The interfaces to join on, as the system wants them named: of IPv4 by address, of IPv6 by name. */
function interfacesFor(isV6: boolean, wanted: string | null): string[] {
	const family = isV6 ? "IPv6" : "IPv4";
	const found = new Set<string>();
	for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
		for (const address of addresses) {
			const isWanted = wanted === null || wanted === name || plainAddress(wanted) === plainAddress(address.address);
			if (isWanted && address.family === family) found.add(isV6 ? `::%${name}` : address.address);
		}
	}
	return [...found];
}

function enlarge(socket: dgram.Socket, bytes: number, log: Logger): void {
	try {
		socket.setRecvBufferSize(bytes);
		const given = socket.getRecvBufferSize();
		if (given >= bytes) return;
		log.warn(
			{ given, wanted: bytes },
			"The system gives a UDP socket less buffer than wanted: raise net.core.rmem_max",
		);
	} catch (error) {
		log.warn({ err: error, wanted: bytes }, "The system does not give a UDP socket the buffer that is wanted");
	}
}
