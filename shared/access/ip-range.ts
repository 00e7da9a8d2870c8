/** IP addresses and networks in CIDR notation (RFC 4632, RFC 4291), where there is no `node:net`. */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** Of an IPv6 address with a dotted quad at its end. */
const MAX_IPV6_CHARS = 45;

/** The four or sixteen bytes of an address; an IPv4 address in its IPv6 form gives four. `null` if it is none. */
export function parseIp(text: string): readonly number[] | null {
	if (IPV4.test(text)) return text.split(".").map(Number);
	const bytes = parseIpv6(text);
	if (bytes === null) return null;
	// RFC 4291 §2.5.5.2.
	const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
	return isMapped ? bytes.slice(12) : bytes;
}

function parseIpv6(text: string): readonly number[] | null {
	if (text.length > MAX_IPV6_CHARS || !/^[0-9a-fA-F:.]+$/.test(text)) return null;
	const [head = "", tail, ...more] = text.split("::");
	if (more.length > 0) return null;
	const before = groupsOf(head);
	const after = tail === undefined ? [] : groupsOf(tail);
	if (before === null || after === null) return null;
	const missing = 16 - before.length - after.length;
	// RFC 4291 §2.2: "::" stands for one or more groups.
	if (tail === undefined ? missing !== 0 : missing < 2) return null;
	return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function groupsOf(text: string): number[] | null {
	if (text === "") return [];
	const bytes: number[] = [];
	const groups = text.split(":");
	for (const [i, group] of groups.entries()) {
		if (i === groups.length - 1 && IPV4.test(group)) {
			bytes.push(...group.split(".").map(Number));
		} else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
			const value = Number.parseInt(group, 16);
			bytes.push(value >> 8, value & 0xff);
		} else {
			return null;
		}
	}
	return bytes;
}

/** An IPv4 address that an IPv6 socket shows, RFC 4291 §2.5.5.2, as itself. */
export function unmapped(address: string): string {
	const rest = address.slice("::ffff:".length);
	return address.toLowerCase().startsWith("::ffff:") && IPV4.test(rest) ? rest : address;
}

export type IpRange = { readonly bytes: readonly number[]; readonly bits: number };

/** Reads an address or a network. `null` if it is neither. */
export function parseIpRange(text: string): IpRange | null {
	const [address = "", bitsText, ...more] = text.split("/");
	const bytes = parseIp(address);
	if (bytes === null || more.length > 0) return null;
	if (bitsText === undefined) return { bytes, bits: bytes.length * 8 };
	if (!/^\d{1,3}$/.test(bitsText)) return null;
	// A mapped network counts from the front of its IPv6 form.
	const isMapped = bytes.length === 4 && address.includes(":");
	const bits = Number(bitsText) - (isMapped ? 96 : 0);
	return bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : null;
}

/** Says whether `address` is in `range`. What is no address is in none. */
export function isInRange({ bytes, bits }: IpRange, address: string): boolean {
	const asked = parseIp(address);
	if (asked === null || asked.length !== bytes.length) return false;
	return bytes.every((byte, i) => {
		const left = Math.min(8, Math.max(0, bits - i * 8));
		return ((byte ^ (asked[i] ?? 0)) & ((0xff << (8 - left)) & 0xff)) === 0;
	});
}
