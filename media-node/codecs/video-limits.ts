import { ProtocolError } from "#shared/problem.ts";

/** The widest and highest picture that is believed: beyond level 6.2 of ITU-T H.264 (table A-1) and H.265 (table A.8). */
export const MAX_PICTURE_SIZE = 16_888;

/** Gives `value`, a field of a parameter set. Throws `bytes.malformed` above `max`. */
export function expectAtMost(max: number, value: number, what: string): number {
	if (value <= max) return value;
	throw new ProtocolError("bytes.malformed", `${what} is ${value}, where ${max} is the most that the format allows`);
}

/** Width or height after cropping, in pixels. Throws `bytes.malformed` when nothing is left or it is absurd. */
export function croppedSize(coded: number, cropped: number, what: string): number {
	if (coded <= MAX_PICTURE_SIZE && cropped < coded) return coded - cropped;
	throw new ProtocolError("bytes.malformed", `A picture ${what} of ${coded} pixels, less ${cropped}, is not possible`);
}
