/**
 * Whole frames that take up all of `data`; `null` when they do not. `frameBytesAt` reads the size of the frame at an
 * offset out of its header, and gives 0 when there is none.
 */
export function cutFrames(
	data: Uint8Array,
	frameBytesAt: (data: Uint8Array, offset: number) => number,
): Uint8Array[] | null {
	const frames: Uint8Array[] = [];
	for (let at = 0; at < data.length; ) {
		const size = frameBytesAt(data, at);
		if (size === 0 || size > data.length - at) return null;
		frames.push(data.subarray(at, at + size));
		at += size;
	}
	return frames;
}
