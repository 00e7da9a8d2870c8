import { SYNC_BYTE, TS_PACKET_BYTES } from "./packet.ts";

/**
 * Cuts a byte stream into transport packets. Where the sync byte is missing it looks for the next place where two
 * packets in a row begin with one, and counts what it left out.
 */
export class PacketSplitter {
	#rest: Uint8Array = new Uint8Array(0);
	#inSync = false;
	/** Bytes that were not part of any packet. */
	skippedBytes = 0;
	/** How many times the sync byte was lost. */
	losses = 0;

	/** Calls `take` for each packet that is complete with `chunk`; the bytes hold until this returns. */
	push(chunk: Uint8Array, take: (bytes: Uint8Array, offset: number) => void): void {
		const bytes = this.#join(chunk);
		let at = 0;
		while (at + TS_PACKET_BYTES <= bytes.length) {
			if (!this.#inSync) {
				const found = findSync(bytes, at);
				this.skippedBytes += found - at;
				at = found;
				// Whether it is one shows only when the byte after it is there.
				if (at + TS_PACKET_BYTES >= bytes.length) break;
				this.#inSync = true;
			}
			if (bytes[at] !== SYNC_BYTE) {
				this.#inSync = false;
				this.losses++;
				continue;
			}
			take(bytes, at);
			at += TS_PACKET_BYTES;
		}
		this.#rest = bytes.slice(at);
	}

	/** The end of the stream: calls `take` for a last packet that waits for the one behind it to be believed. */
	end(take: (bytes: Uint8Array, offset: number) => void): void {
		const rest = this.#rest;
		this.#rest = new Uint8Array(0);
		if (rest.length >= TS_PACKET_BYTES && rest[0] === SYNC_BYTE) take(rest, 0);
		else this.skippedBytes += rest.length;
	}

	#join(chunk: Uint8Array): Uint8Array {
		if (this.#rest.length === 0) return chunk;
		const joined = new Uint8Array(this.#rest.length + chunk.length);
		joined.set(this.#rest);
		joined.set(chunk, this.#rest.length);
		return joined;
	}
}

/** The first place from `from` on that may begin a packet; what cannot be told yet counts as one. */
function findSync(bytes: Uint8Array, from: number): number {
	for (let at = bytes.indexOf(SYNC_BYTE, from); at !== -1; at = bytes.indexOf(SYNC_BYTE, at + 1)) {
		const next = at + TS_PACKET_BYTES;
		if (next >= bytes.length || bytes[next] === SYNC_BYTE) return at;
	}
	return bytes.length;
}

/** How many packets in a row make bytes believed to be a transport stream, where there are so many. */
const PROOF_PACKETS = 5;

/** Says whether `head`, the beginning of a file, is of a transport stream. It may begin in the midst of a packet. */
export function isMpegTs(head: Uint8Array): boolean {
	for (let at = 0; at < TS_PACKET_BYTES; at++) {
		let packets = 0;
		while (packets < PROOF_PACKETS && head[at + packets * TS_PACKET_BYTES] === SYNC_BYTE) packets++;
		const whole = Math.floor((head.length - at) / TS_PACKET_BYTES);
		if (packets >= Math.min(PROOF_PACKETS, Math.max(1, whole)) && whole > 0) return true;
	}
	return false;
}
