/** The first bytes by which protocols on one port are told apart. Pure. */

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
	return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export const GET_MARK = ascii("GET ");
export const POST_MARK = ascii("POST ");

/** Whether the bytes begin with `mark`: "maybe" while too few have come to tell. Never throws. */
export function beginsWith(bytes: Uint8Array, mark: Uint8Array): "yes" | "no" | "maybe" {
	const length = Math.min(bytes.length, mark.length);
	for (let at = 0; at < length; at++) if (bytes[at] !== mark[at]) return "no";
	return length === mark.length ? "yes" : "maybe";
}

/** Whether the bytes begin with one of two marks, of which neither is the start of the other. Never throws. */
export function beginsWithEither(bytes: Uint8Array, one: Uint8Array, other: Uint8Array): "yes" | "no" | "maybe" {
	const first = beginsWith(bytes, one);
	return first === "no" ? beginsWith(bytes, other) : first;
}
