import { u8 } from "../bytes/big-endian.ts";
import type { Codec } from "../codecs/codec.ts";
import { OPUS_CLOCK_RATE, opusSamples } from "../codecs/opus.ts";
import { type ElementaryParser, type ElementaryUnit, MAX_UNIT_FRAMES, type TimedData } from "./elementary-parser.ts";
import { FrameTimer } from "./frame-timer.ts";

/** Opus in MPEG-TS, ETSI TS 103 491 §4 and "Carriage of Opus in MPEG-TS": whole packets, each behind a control header. */
export class OpusParser implements ElementaryParser {
	readonly kind = "audio";
	readonly clockRate = OPUS_CLOCK_RATE;
	readonly codec: Codec;
	readonly codecAtEnd: Codec;
	readonly #timer = new FrameTimer(OPUS_CLOCK_RATE);
	dropped = 0;

	constructor(channels: number) {
		this.codec = { name: "Opus", channels };
		this.codecAtEnd = this.codec;
	}

	push({ pts, data }: TimedData): readonly ElementaryUnit[] {
		this.#timer.stamp(pts);
		const frames: Uint8Array[] = [];
		let time: number | null = null;
		for (let at = 0; at < data.length && frames.length < MAX_UNIT_FRAMES; ) {
			const packet = readControlled(data, at);
			const samples = packet === null ? 0 : opusSamples(packet);
			if (packet === null || samples === 0) {
				this.dropped++;
				break;
			}
			const start = this.#timer.advance(samples);
			time ??= start;
			frames.push(packet);
			at = packet.byteOffset - data.byteOffset + packet.length;
		}
		if (frames.length === 0 || time === null) return [];
		return [{ pts: time, dts: time, randomAccess: true, frames }];
	}

	reset(): void {
		this.#timer.reset();
	}
}

/** `control_header_prefix`: eleven bits, then flags of start trim, end trim and extension. */
const PREFIX = 0x7fe0;
const FLAGS_BYTES = 2;

/** The packet behind the `opus_control_header` at `from`; `null` when it is malformed. */
function readControlled(bytes: Uint8Array, from: number): Uint8Array | null {
	let at = from + FLAGS_BYTES;
	if (at >= bytes.length) return null;
	const head = (u8(bytes, from) << 8) | u8(bytes, from + 1);
	if ((head & 0xffe0) !== PREFIX) return null;
	let size = 0;
	for (let more = true; more; at++) {
		const part = bytes[at];
		if (part === undefined) return null;
		size += part;
		more = part === 0xff;
	}
	if ((head & 0x10) !== 0) at += 2; // start_trim
	if ((head & 0x08) !== 0) at += 2; // end_trim
	if ((head & 0x04) !== 0) at += 1 + (bytes[at] ?? 0); // control_extension
	return size > 0 && at + size <= bytes.length ? bytes.subarray(at, at + size) : null;
}
