/** Where the body of a tunnel's POST ends and the next POST on the same connection begins. Sans-IO. */

import { beginsWith, POST_MARK } from "./marks.ts";

/** `text`: base64 of the body. `next`: the first bytes of another request, and everything behind them. */
export type BodyPiece = { readonly text: Uint8Array; readonly next: Uint8Array | null };

const NOTHING = new Uint8Array(0);

/**
 * Clients write a Content-Length that means nothing (32767 in Apple's example, in ffmpeg and GStreamer) and go on behind
 * it. So it only says where another request may stand: "POST " can not, because base64 has no space.
 */
export class TunnelBody {
	/** Bytes up to the place where another request may stand. */
	#left: number;
	/** The first bytes behind that place, as long as they may be either. */
	#held: Uint8Array = NOTHING;

	/** `declaredBytes`: the Content-Length; `null` without one, when the body ends with the connection. */
	constructor(declaredBytes: number | null) {
		this.#left = declaredBytes ?? Number.POSITIVE_INFINITY;
	}

	/** Exactly the declared length has come: the body may be whole. */
	get mayBeWhole(): boolean {
		return this.#left === 0 && this.#held.length === 0;
	}

	push(chunk: Uint8Array): BodyPiece {
		if (chunk.length <= this.#left) {
			// At the end of the declared length nothing is held yet.
			if (this.#left > 0) this.#left -= chunk.length;
			return { text: chunk, next: null };
		}
		const behind = this.#held.length === 0 ? chunk.subarray(this.#left) : joined(this.#held, chunk);
		const text = chunk.subarray(0, this.#left);
		this.#left = 0;
		switch (beginsWith(behind, POST_MARK)) {
			case "yes":
				return { text, next: behind };
			case "maybe":
				this.#held = behind.slice();
				return { text, next: null };
			default:
				this.#left = Number.POSITIVE_INFINITY;
				this.#held = NOTHING;
				return { text: text.length === 0 ? behind : joined(text, behind), next: null };
		}
	}
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(a.length + b.length);
	bytes.set(a);
	bytes.set(b, a.length);
	return bytes;
}
