import { putU16, u8, u16, u24 } from "../../bytes/big-endian.ts";

export const HandshakeType = {
	clientHello: 1,
	certificate: 11,
	serverKeyExchange: 12,
	certificateVerify: 15,
	finished: 20,
} as const;

const HANDSHAKE_HEADER_BYTES = 12;
/** The longest message of a handshake: a chain of certificates. */
const MAX_MESSAGE_BYTES = 16_384;
/** How many messages may be in the making at once, and how far ahead they may be. */
const MAX_OPEN_MESSAGES = 8;
/** What one peer may send in a handshake, with all that is sent again. */
const MAX_HANDSHAKE_BYTES = 512 * 1024;

/** A whole message. */
export type HandshakeMessage = {
	readonly type: number;
	/** Its number, as the sender counts. */
	readonly number: number;
	readonly body: Uint8Array;
};

type Open = { readonly type: number; readonly body: Uint8Array; readonly have: Uint8Array; missing: number };

/**
 * Puts the messages of a handshake together from fragments that come in any order, twice, or overlapping, and gives
 * them in their order. What does not fit is dropped: a peer sends it again.
 *
 * @see RFC 6347 §4.2.3
 */
export class HandshakeInbox {
	readonly #open = new Map<number, Open>();
	#next = 0;
	#takenBytes = 0;

	/** The number of the message that comes next. */
	get next(): number {
		return this.#next;
	}

	/** Takes the fragments of a record; gives what is whole now and, of single-fragment messages, what was there before. */
	push(record: Uint8Array): readonly HandshakeMessage[] {
		this.#takenBytes += record.length;
		if (this.#takenBytes > MAX_HANDSHAKE_BYTES) return [];
		const out: HandshakeMessage[] = [];
		let at = 0;
		while (at + HANDSHAKE_HEADER_BYTES <= record.length) {
			const type = u8(record, at);
			const length = u24(record, at + 1);
			const number = u16(record, at + 4);
			const offset = u24(record, at + 6);
			const fragmentLength = u24(record, at + 9);
			const end = at + HANDSHAKE_HEADER_BYTES + fragmentLength;
			if (end > record.length || length > MAX_MESSAGE_BYTES || offset + fragmentLength > length) break;
			const fragment = record.subarray(at + HANDSHAKE_HEADER_BYTES, end);
			if (number < this.#next && fragmentLength === length) out.push({ type, number, body: fragment.slice() });
			else this.#put(type, number, length, offset, fragment);
			at = end;
		}
		for (let open = this.#open.get(this.#next); open?.missing === 0; open = this.#open.get(this.#next)) {
			out.push({ type: open.type, number: this.#next, body: open.body });
			this.#open.delete(this.#next++);
		}
		return out;
	}

	#put(type: number, number: number, length: number, offset: number, fragment: Uint8Array): void {
		if (number < this.#next || number >= this.#next + MAX_OPEN_MESSAGES) return;
		let open = this.#open.get(number);
		if (open === undefined) {
			open = { type, body: new Uint8Array(length), have: new Uint8Array(length), missing: length };
			this.#open.set(number, open);
		}
		if (open.type !== type || open.body.length !== length) return;
		for (let i = 0; i < fragment.length; i++) {
			if (u8(open.have, offset + i) !== 0) continue;
			open.have[offset + i] = 1;
			open.body[offset + i] = u8(fragment, i);
			open.missing--;
		}
	}
}

/** The one message that is all of `bytes`, in one fragment; `null` if it is not so. */
export function readHandshake(bytes: Uint8Array | null): HandshakeMessage | null {
	if (bytes === null || bytes.length < HANDSHAKE_HEADER_BYTES) return null;
	const length = bytes.length - HANDSHAKE_HEADER_BYTES;
	if (u24(bytes, 1) !== length || u24(bytes, 6) !== 0 || u24(bytes, 9) !== length) return null;
	return { type: u8(bytes, 0), number: u16(bytes, 4), body: bytes.subarray(HANDSHAKE_HEADER_BYTES) };
}

/** The message in one fragment. */
export function writeHandshake({ type, number, body }: HandshakeMessage): Uint8Array {
	const bytes = new Uint8Array(HANDSHAKE_HEADER_BYTES + body.length);
	bytes[0] = type;
	putU24(bytes, 1, body.length);
	putU16(bytes, 4, number);
	putU24(bytes, 9, body.length);
	bytes.set(body, HANDSHAKE_HEADER_BYTES);
	return bytes;
}

function putU24(bytes: Uint8Array, at: number, value: number): void {
	bytes[at] = value >>> 16;
	putU16(bytes, at + 1, value & 0xffff);
}
