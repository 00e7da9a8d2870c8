/** The bytes of a text of hexadecimal digits, with spaces where they help to read. */
export function bytesOfHex(text: string): Uint8Array {
	return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}
