/**
 * The header by which a TCP proxy tells whom it speaks for: the PROXY protocol, version 1 (text) and 2 (binary), of
 * haproxy's doc/proxy-protocol.txt §2.1 and §2.2. Pure.
 */

import { isIPv4, isIPv6 } from "node:net";
import { ProtocolError } from "#shared/problem.ts";
import { u8, u16 } from "../bytes/big-endian.ts";
import { ascii, beginsWithEither } from "./marks.ts";

/** The longest header of version 1, with its CR LF. */
export const MAX_V1_BYTES = 107;
/** What may stand behind the sixteen bytes of version 2: addresses and TLVs, which are skipped. */
export const MAX_V2_PAYLOAD_BYTES = 536;
const V2_HEADER_BYTES = 16;
const CR = 0x0d;
const LF = 0x0a;

const V1_MARK = ascii("PROXY ");
const V2_MARK = ascii("\r\n\r\n\0\r\nQUIT\n");

export type ProxyHeader = {
	/** How long the header is: what comes behind it is the client's. */
	readonly bytes: number;
	/** The client; `null`: the proxy speaks for itself, or does not know. */
	readonly source: { readonly address: string; readonly port: number } | null;
};

/** Whether the bytes begin with a header: "maybe" while too few have come to tell. Never throws. */
export function isProxyHeader(bytes: Uint8Array): "yes" | "no" | "maybe" {
	return beginsWithEither(bytes, V1_MARK, V2_MARK);
}

/**
 * Reads the header at the start of bytes for which {@link isProxyHeader} does not say "no"; `null` when it is not whole.
 * @throws ProtocolError `bytes.malformed`, `bytes.limit`
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader | null {
	return u8(bytes, 0) === CR ? parseV2(bytes) : parseV1(bytes);
}

function parseV1(bytes: Uint8Array): ProxyHeader | null {
	const lf = bytes.subarray(0, MAX_V1_BYTES).indexOf(LF);
	if (lf === -1) {
		if (bytes.length >= MAX_V1_BYTES) {
			throw new ProtocolError("bytes.limit", `The PROXY header does not end within ${MAX_V1_BYTES} bytes`);
		}
		return null;
	}
	if (u8(bytes, lf - 1) !== CR) throw malformed("its line does not end in CR LF");
	const [, family, source, destination, sourcePort, destinationPort, ...more] = latin1(bytes.subarray(0, lf - 1)).split(
		" ",
	);
	// Whatever follows UNKNOWN is to be ignored.
	if (family === "UNKNOWN") return { bytes: lf + 1, source: null };
	if (family !== "TCP4" && family !== "TCP6") throw malformed("the family is neither TCP4, TCP6 nor UNKNOWN");
	const isAddress = family === "TCP4" ? isIPv4 : isPlainIPv6;
	if (source === undefined || destination === undefined || !isAddress(source) || !isAddress(destination)) {
		throw malformed(`an address is not one of ${family}`);
	}
	const port = portOf(sourcePort);
	portOf(destinationPort);
	if (more.length > 0) throw malformed("something follows the ports");
	return { bytes: lf + 1, source: { address: family === "TCP4" ? source : canonicalIPv6(source), port } };
}

function parseV2(bytes: Uint8Array): ProxyHeader | null {
	if (bytes.length < V2_HEADER_BYTES) return null;
	const [command, family, payloadBytes] = [u8(bytes, 12), u8(bytes, 13), u16(bytes, 14)];
	if (command >>> 4 !== 2) throw malformed(`its version is ${command >>> 4}`);
	if (payloadBytes > MAX_V2_PAYLOAD_BYTES) {
		throw new ProtocolError(
			"bytes.limit",
			`The PROXY header announces ${payloadBytes} of ${MAX_V2_PAYLOAD_BYTES} bytes`,
		);
	}
	const length = V2_HEADER_BYTES + payloadBytes;
	if (bytes.length < length) return null;
	const isLocal = (command & 0x0f) === 0;
	if (!isLocal && (command & 0x0f) !== 1) throw malformed("its command is neither LOCAL nor PROXY");
	if (isLocal) return { bytes: length, source: null };
	const payload = bytes.subarray(V2_HEADER_BYTES, length);
	switch (family >>> 4) {
		case 1:
			return { bytes: length, source: sourceOf(payload, 4, ipv4Of) };
		case 2:
			return { bytes: length, source: sourceOf(payload, 16, ipv6Of) };
		default:
			// Unspecified, a path of the file system, or of a later version: "the receiver should ignore address information".
			return { bytes: length, source: null };
	}
}

/** Of the two addresses and two ports at the start of the payload, the first ones. */
function sourceOf(payload: Uint8Array, addressBytes: number, textOf: (bytes: Uint8Array) => string) {
	if (payload.length < 2 * addressBytes + 4) throw malformed("it is too short for its addresses");
	return { address: textOf(payload.subarray(0, addressBytes)), port: u16(payload, 2 * addressBytes) };
}

function ipv4Of(bytes: Uint8Array): string {
	return bytes.join(".");
}

function ipv6Of(bytes: Uint8Array): string {
	return canonicalIPv6(Array.from({ length: 8 }, (_, group) => u16(bytes, 2 * group).toString(16)).join(":"));
}

/** As RFC 5952 writes it; an IPv4 address behind IPv6 in its own form. */
function canonicalIPv6(text: string): string {
	const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
	const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical);
	if (mapped === null) return canonical;
	const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
	return [high >>> 8, high & 0xff, low >>> 8, low & 0xff].join(".");
}

/** Without a zone, which `isIPv6` lets pass: it would mean something on the proxy only. */
function isPlainIPv6(text: string): boolean {
	return isIPv6(text) && !text.includes("%");
}

function portOf(text: string | undefined): number {
	if (text === undefined || !/^\d{1,5}$/.test(text) || Number(text) > 65_535)
		throw malformed("a port is not a number up to 65535");
	return Number(text);
}

function latin1(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function malformed(why: string): ProtocolError {
	return new ProtocolError("bytes.malformed", `The PROXY header is malformed: ${why}`);
}
