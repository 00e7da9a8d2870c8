/**
 * Where webhooks may go. A customer chooses the address, so it must not lead to what only we can reach: this machine, its
 * network, a cloud's metadata service. What is written is checked here; what a name resolves to is checked by the
 * transport, with {@link isPublicAddress}, for the very connection that it makes.
 */

import { InputError } from "#shared/problem.ts";

const MAX_URL_LENGTH = 2048;
const EXCEPTION =
	"within a network that you own, the setting webhookAllowInsecure (SLUICE_WEBHOOK_ALLOW_INSECURE) allows it";

/** @throws InputError `input.invalid` */
export function assertWebhookUrl(text: string, allowInsecure: boolean): URL {
	let url: URL;
	try {
		if (text.length > MAX_URL_LENGTH) throw new TypeError("too long");
		url = new URL(text);
	} catch (cause) {
		throw refused(`is not a URL of at most ${MAX_URL_LENGTH} characters`, cause);
	}
	if (url.username !== "" || url.password !== "")
		throw refused("must not hold credentials; verify the signature instead");
	if (allowInsecure && url.protocol === "http:") return url;
	if (url.protocol === "http:") throw refused(`must begin with https://; ${EXCEPTION}`);
	if (url.protocol !== "https:") throw refused(`must begin with https://${allowInsecure ? " or http://" : ""}`);
	if (!allowInsecure && !isPublicHost(url.hostname)) throw refused(`leads to a private or local address; ${EXCEPTION}`);
	return url;
}

function refused(why: string, cause?: unknown): InputError {
	return new InputError("input.invalid", `The webhook's URL ${why}`, { cause });
}

/** Names that never leave a machine or a local network. */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa)\.?$/i;

/** Says whether a host as it stands in a URL may be public. A name may still resolve to a private address. */
function isPublicHost(hostname: string): boolean {
	if (hostname.startsWith("[")) return isPublicAddress(hostname.slice(1, -1));
	// URL has made dotted decimal of every odd way to write an IPv4 address.
	if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname)) return isPublicAddress(hostname);
	return hostname.includes(".") && !LOCAL_NAME.test(hostname);
}

/** Says whether an IP address is of the public internet. Never throws: what is no address is not public. */
export function isPublicAddress(address: string): boolean {
	const v4 = parseV4(address);
	if (v4 !== null) return isPublicV4(v4);
	const v6 = parseV6(address);
	return v6 !== null && isPublicV6(v6);
}

/** Special-purpose blocks of IPv4: RFC 6890 and its registry. */
const V4_BLOCKS: readonly (readonly [string, number])[] = [
	["0.0.0.0", 8],
	["10.0.0.0", 8],
	["100.64.0.0", 10],
	["127.0.0.0", 8],
	["169.254.0.0", 16],
	["172.16.0.0", 12],
	["192.0.0.0", 24],
	["192.0.2.0", 24],
	["192.88.99.0", 24],
	["192.168.0.0", 16],
	["198.18.0.0", 15],
	["198.51.100.0", 24],
	["203.0.113.0", 24],
	["224.0.0.0", 3],
];

function parseV4(text: string): number | null {
	const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
	const parts = match?.slice(1).map(Number) ?? [];
	if (parts.length !== 4 || parts.some((part) => part > 255)) return null;
	return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function isPublicV4(address: number): boolean {
	return !V4_BLOCKS.some(([base, bits]) => {
		const size = 2 ** (32 - bits);
		return Math.floor(address / size) === Math.floor((parseV4(base) ?? 0) / size);
	});
}

/** Eight words, or `null`. */
function parseV6(text: string): number[] | null {
	const withoutV4 = text.replace(/(\d+\.\d+\.\d+\.\d+)$/, (v4) => {
		const value = parseV4(v4);
		return value === null ? "x" : `${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`;
	});
	const halves = withoutV4.split("::");
	if (halves.length > 2) return null;
	const words = halves.map((half) => (half === "" ? [] : half.split(":")));
	const [head = [], tail = []] = words;
	const missing = 8 - head.length - tail.length;
	if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
	const all = [...head, ...Array.from({ length: halves.length === 1 ? 0 : missing }, () => "0"), ...tail];
	return all.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word)) ? all.map((word) => Number.parseInt(word, 16)) : null;
}

function isPublicV6(words: readonly number[]): boolean {
	const [a = 0, b = 0] = words;
	const v4At = (i: number) => (words[i] ?? 0) * 65_536 + (words[i + 1] ?? 0);
	// Mapped, translated (RFC 6052) and tunnelled (RFC 3056) IPv4 lead to the IPv4 address within.
	if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) return isPublicV4(v4At(6));
	if (a === 0x64 && b === 0xff9b) return words.slice(2, 6).every((word) => word === 0) && isPublicV4(v4At(6));
	if (a === 0x2002) return isPublicV4(v4At(1));
	// Only 2000::/3 is given out; of it, not Teredo and the like (2001::/23) nor documentation.
	if (a >> 13 !== 1) return false;
	return !(a === 0x2001 && (b < 0x200 || b === 0xdb8)) && !(a === 0x3fff && b < 0x1000);
}
