/** The bytes of all `parts` behind `headerBytes` zeros. */
export function joinedBehind(headerBytes: number, parts: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, headerBytes));
	let at = headerBytes;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}
