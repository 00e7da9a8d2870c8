/**
 * Splits a byte stream (ITU-T H.264 annex B) into its NAL units, as views without start codes and without the zeros
 * that may follow a unit. What comes before the first start code is left out.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
	const nals: Uint8Array[] = [];
	let start = -1;
	let at = nextStartCode(bytes, 0);
	while (at !== -1) {
		if (start !== -1) addNal(nals, bytes, start, at);
		start = at + 3;
		at = nextStartCode(bytes, start);
	}
	if (start !== -1) addNal(nals, bytes, start, bytes.length);
	return nals;
}

/** The index of the next `00 00 01`, or -1. */
function nextStartCode(bytes: Uint8Array, from: number): number {
	for (let one = bytes.indexOf(1, from + 2); one !== -1; one = bytes.indexOf(1, one + 1)) {
		if (bytes[one - 1] === 0 && bytes[one - 2] === 0) return one - 2;
	}
	return -1;
}

function addNal(nals: Uint8Array[], bytes: Uint8Array, start: number, end: number): void {
	let last = end;
	while (last > start && bytes[last - 1] === 0) last--;
	if (last > start) nals.push(bytes.subarray(start, last));
}
