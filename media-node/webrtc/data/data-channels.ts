/** Data channels on an association of SCTP: RFC 8831, and the protocol that opens them, RFC 8832. */

import type { Clock } from "#shared/clock.ts";
import { putU16, u8, u16 } from "../../bytes/big-endian.ts";
import { SctpAssociation } from "./sctp-association.ts";
import type { SctpMessage } from "./sctp-inbound.ts";

export type DataChannelsOptions = {
	/** Of DTLS: its client opens even streams, its server odd ones. RFC 8832 §6. */
	readonly role: "client" | "server";
	/** `a=sctp-port` of both ends. */
	readonly localPort: number;
	readonly remotePort: number;
	/** What the peer takes in one message, in bytes: `a=max-message-size`. */
	readonly maxMessageBytes: number;
	readonly clock: Clock;
	/** Sends a packet of SCTP. Never throws. */
	readonly send: (packet: Uint8Array) => void;
	/** There are no channels any more; `null`: the peer said goodbye. At most once, and never for a `close`. */
	readonly onEnded: (failure: string | null) => void;
};

/** RFC 8831 §8. */
const PayloadProtocol = { control: 50, binary: 53, binaryEmpty: 57 } as const;
/** RFC 8832 §8.2.1. */
const MESSAGE_ACK = 2;
const MESSAGE_OPEN = 3;
const OPEN_HEADER_BYTES = 12;
/** RFC 8832 §5.1. */
const RELIABLE = 0;
const RELIABLE_UNORDERED = 0x80;

/** The message that opens a channel, RFC 8832 §5.1: reliable, of priority 0 and without a protocol. */
export function writeOpen(label: string, isOrdered: boolean): Uint8Array {
	const name = new TextEncoder().encode(label);
	const bytes = new Uint8Array(OPEN_HEADER_BYTES + name.length);
	bytes[0] = MESSAGE_OPEN;
	bytes[1] = isOrdered ? RELIABLE : RELIABLE_UNORDERED;
	putU16(bytes, 8, name.length);
	bytes.set(name, OPEN_HEADER_BYTES);
	return bytes;
}

/** Says whether this opens a channel: its lengths are right. */
export function isOpen(bytes: Uint8Array): boolean {
	if (bytes.length < OPEN_HEADER_BYTES || u8(bytes, 0) !== MESSAGE_OPEN) return false;
	return bytes.length === OPEN_HEADER_BYTES + u16(bytes, 8) + u16(bytes, 10);
}

/** A channel that we opened. */
export class OutgoingChannel {
	readonly stream: number;
	readonly label: string;
	readonly isOrdered: boolean;
	/** `acknowledged`: the peer has heard of it; before, all goes in order, RFC 8832 §6. */
	state: "new" | "opened" | "acknowledged" | "closed" = "new";
	readonly #send: (channel: OutgoingChannel, bytes: Uint8Array) => boolean;

	constructor(
		options: { readonly stream: number; readonly label: string; readonly isOrdered: boolean },
		send: (channel: OutgoingChannel, bytes: Uint8Array) => boolean,
	) {
		this.stream = options.stream;
		this.label = options.label;
		this.isOrdered = options.isOrdered;
		this.#send = send;
	}

	/** Sends a binary message; it is copied. `false`: not yet, not any more, longer than the peer takes, or no room. */
	send(bytes: Uint8Array): boolean {
		return this.#send(this, bytes);
	}
}

/** The channels of one session. What the peer sends on channels of its own is taken, and goes nowhere. */
export class DataChannels {
	readonly #options: DataChannelsOptions;
	readonly #association: SctpAssociation;
	readonly #channels: OutgoingChannel[] = [];

	constructor(options: DataChannelsOptions) {
		this.#options = options;
		const { localPort, remotePort, clock, send } = options;
		this.#association = new SctpAssociation({
			...{ localPort, remotePort, clock, send },
			onEstablished: () => {
				for (const channel of this.#channels) this.#announce(channel);
			},
			onMessage: (message) => this.#receive(message),
			onReset: (streams) => {
				for (const channel of this.#channels) {
					if (streams.length === 0 || streams.includes(channel.stream)) channel.state = "closed";
				}
			},
			onEnded: (failure) => {
				this.#closeAll();
				options.onEnded(failure);
			},
		});
	}

	/** Makes a channel, which opens as soon as the peer is there. */
	open(label: string, { isOrdered }: { readonly isOrdered: boolean }): OutgoingChannel {
		const stream = 2 * this.#channels.length + (this.#options.role === "client" ? 0 : 1);
		const channel = new OutgoingChannel({ stream, label, isOrdered }, (of, bytes) => this.#send(of, bytes));
		this.#channels.push(channel);
		this.#announce(channel);
		return channel;
	}

	/** Says hello to the peer, once DTLS is there. */
	start(): void {
		this.#association.start();
	}

	/** Takes a packet of SCTP. Never throws. */
	receive(packet: Uint8Array): void {
		this.#association.receive(packet);
	}

	/** Closes all channels at once. Idempotent. */
	close(): void {
		this.#closeAll();
		this.#association.close();
	}

	#announce(channel: OutgoingChannel): void {
		if (channel.state !== "new" || !this.#association.isEstablished) return;
		const { stream, label, isOrdered } = channel;
		const bytes = writeOpen(label, isOrdered);
		if (this.#association.send({ stream, ppid: PayloadProtocol.control, unordered: false, bytes })) {
			channel.state = "opened";
		}
	}

	#send({ stream, isOrdered, state }: OutgoingChannel, bytes: Uint8Array): boolean {
		if (state !== "opened" && state !== "acknowledged") return false;
		if (bytes.length > this.#options.maxMessageBytes) return false;
		const unordered = !isOrdered && state === "acknowledged";
		// RFC 8831 §6.6: SCTP has no empty messages; a byte that means nothing stands for them.
		const message =
			bytes.length === 0
				? { ppid: PayloadProtocol.binaryEmpty, bytes: Uint8Array.of(0) }
				: { ppid: PayloadProtocol.binary, bytes };
		return this.#association.send({ stream, unordered, ...message });
	}

	#receive({ stream, ppid, bytes }: SctpMessage): void {
		if (ppid !== PayloadProtocol.control) return;
		const own = this.#channels.find((channel) => channel.stream === stream);
		if (bytes[0] === MESSAGE_ACK) {
			if (own?.state === "opened") own.state = "acknowledged";
		} else if (own === undefined && isOpen(bytes)) {
			const ack = { ppid: PayloadProtocol.control, unordered: false, bytes: Uint8Array.of(MESSAGE_ACK) };
			this.#association.send({ stream, ...ack });
		}
	}

	#closeAll(): void {
		for (const channel of this.#channels) channel.state = "closed";
	}
}
