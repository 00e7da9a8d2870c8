import { type AccessUnit, type Depacketizer, NO_UNITS } from "../access-unit.ts";
import type { RtpPacket } from "../rtp-packet.ts";

/** A payload that is one frame and nothing else: Opus (RFC 7587 §4.2), G.711 (RFC 3551 §4.5.14). */
export class WholeFrameDepacketizer implements Depacketizer {
	readonly #isValid: (frame: Uint8Array) => boolean;
	#dropped = 0;

	/** `isValid` never throws. It sees no empty frame. */
	constructor(isValid: (frame: Uint8Array) => boolean) {
		this.#isValid = isValid;
	}

	get dropped(): number {
		return this.#dropped;
	}

	push(bytes: Uint8Array, { timestamp, payloadOffset, payloadLength }: RtpPacket): readonly AccessUnit[] {
		// Without a payload it only keeps a way open.
		if (payloadLength === 0) return NO_UNITS;
		const frame = bytes.subarray(payloadOffset, payloadOffset + payloadLength);
		if (this.#isValid(frame)) return [{ rtpTime: timestamp, frames: [frame], randomAccess: true }];
		this.#dropped++;
		return NO_UNITS;
	}
}
