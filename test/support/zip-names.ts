/** The names in a ZIP archive: APPNOTE.TXT 4.3.12 and 4.3.16, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */

const END_OF_DIRECTORY = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;

/** Of an archive without a comment, as they stand in its central directory. @throws RangeError for what is none */
export function zipNames(bytes: Uint8Array): string[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = bytes.length - END_BYTES;
	if (view.getUint32(end, true) !== END_OF_DIRECTORY) throw new RangeError("This is no ZIP archive");
	const names: string[] = [];
	let at = view.getUint32(end + 16, true);
	while (at < end) {
		if (view.getUint32(at, true) !== ENTRY) throw new RangeError(`There is no entry at byte ${at} of the archive`);
		const nameBytes = view.getUint16(at + 28, true);
		names.push(new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)));
		at += ENTRY_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
	}
	return names;
}
