import { StoreError } from "#shared/problem.ts";

/** The limit of S3 and R2, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;
/** The limit of most file systems for one name, in bytes of UTF-8. */
export const MAX_KEY_SEGMENT_BYTES = 255;

const encoder = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN_CHARACTER = /[\u0000-\u001f\u007f\\]/;

/**
 * Checks a key by the rule of every store: what one takes, all take. At most {@link MAX_KEY_BYTES}, of segments between
 * slashes that a file can have as its name: not empty, not `.` or `..`, at most {@link MAX_KEY_SEGMENT_BYTES}, without
 * control characters and backslashes.
 * @throws StoreError `store.refused`
 */
export function assertObjectKey(key: string): void {
	const fault = keyFault(key);
	if (fault !== null) {
		throw new StoreError("store.refused", `The object key ${JSON.stringify(key.slice(0, 80))} ${fault}`);
	}
}

/** Says whether a key could begin with `prefix`. Never throws. */
export function isKeyPrefix(prefix: string): boolean {
	return keyFault(prefix) === null || keyFault(`${prefix}x`) === null;
}

function keyFault(key: string): string | null {
	if (key === "") return "is empty";
	if (!key.isWellFormed()) return "is not well-formed Unicode";
	if (FORBIDDEN_CHARACTER.test(key)) return "has a control character or a backslash";
	if (isLonger(key, MAX_KEY_BYTES)) return `is longer than ${MAX_KEY_BYTES} bytes`;
	for (const segment of key.split("/")) {
		if (segment === "" || segment === "." || segment === "..") return "has an empty, . or .. segment";
		if (isLonger(segment, MAX_KEY_SEGMENT_BYTES)) return `has a segment longer than ${MAX_KEY_SEGMENT_BYTES} bytes`;
	}
	return null;
}

function isLonger(text: string, maxBytes: number): boolean {
	if (text.length * 3 <= maxBytes) return false;
	return text.length > maxBytes || encoder.encode(text).length > maxBytes;
}

/** Orders keys as buckets do: by their bytes in UTF-8, which is the order of their code points. */
export function compareKeys(a: string, b: string): number {
	const length = Math.min(a.length, b.length);
	for (let i = 0; i < length; i++) {
		const x = a.charCodeAt(i);
		const y = b.charCodeAt(i);
		// A surrogate stands for a code point above all that need none.
		if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
	}
	return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
	return unit >= 0xd800 && unit <= 0xdfff;
}
