import type { Codec } from "../codecs/codec.ts";
import type { AudioFrame, ReadFrame } from "./audio-frame.ts";
import { type ElementaryParser, type ElementaryUnit, MAX_UNIT_FRAMES, type TimedData } from "./elementary-parser.ts";
import { FrameTimer } from "./frame-timer.ts";

/** The longest run of bytes that is kept for the next packet: above the longest frame of any of these codecs. */
const MAX_CARRY_BYTES = 16 * 1024;

type Group = { pts: number; frames: Uint8Array[] };

/** Audio whose frames begin with a sync word and go on where they like across PES packets. */
export class AudioParser implements ElementaryParser {
	readonly kind = "audio";
	readonly #read: ReadFrame;
	#carry: Uint8Array = new Uint8Array(0);
	/** The time stamp of the frame that the carried bytes begin. */
	#carryPts: number | null = null;
	#codec: Codec | null = null;
	#clockRate = 0;
	#timer = new FrameTimer(1);
	dropped = 0;

	constructor(read: ReadFrame) {
		this.#read = read;
	}

	get codec(): Codec | null {
		return this.#codec;
	}

	get codecAtEnd(): Codec | null {
		return this.#codec;
	}

	get clockRate(): number {
		return this.#clockRate;
	}

	reset(): void {
		this.#carry = new Uint8Array(0);
		this.#carryPts = null;
		this.#timer.reset();
	}

	push({ pts, data }: TimedData): readonly ElementaryUnit[] {
		const carried = this.#carry.length;
		const bytes = joined(this.#carry, data);
		const groups: Group[] = [];
		let stamped = false;
		let count = 0;
		let inSync = true;
		let at = 0;
		while (at < bytes.length && count < MAX_UNIT_FRAMES) {
			const frame = this.#read(bytes, at);
			if (frame === "incomplete") break;
			if (frame === "damaged") {
				if (inSync) this.dropped++;
				inSync = false;
				at++;
				continue;
			}
			inSync = true;
			this.#configure(frame);
			if (at < carried) this.#timer.stamp(this.#carryPts);
			this.#carryPts = null;
			// A time stamp is of the first frame that begins in its packet.
			const stamps = !stamped && at >= carried;
			if (stamps) {
				this.#timer.stamp(pts);
				stamped = true;
			}
			const time = this.#timer.advance(frame.ticks * frame.frames.length);
			if (time === null) this.dropped++;
			else if (stamps || groups.length === 0) groups.push({ pts: time, frames: [...frame.frames] });
			else groups.at(-1)?.frames.push(...frame.frames);
			count += frame.frames.length;
			at += frame.bytes;
		}
		if (!stamped && at >= carried) this.#carryPts = pts;
		this.#carry = bytes.length - at <= MAX_CARRY_BYTES ? bytes.slice(at) : new Uint8Array(0);
		return groups.map((group) => ({ pts: group.pts, dts: group.pts, randomAccess: true, frames: group.frames }));
	}

	#configure({ codec, clockRate }: AudioFrame): void {
		this.#codec ??= codec;
		if (this.#clockRate !== 0) return;
		this.#clockRate = clockRate;
		this.#timer = new FrameTimer(clockRate);
	}
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
	if (a.length === 0) return b;
	const bytes = new Uint8Array(a.length + b.length);
	bytes.set(a);
	bytes.set(b, a.length);
	return bytes;
}
