import { isIPv6 } from "node:net";
import { putU16, u8, u16 } from "../../bytes/big-endian.ts";

/** An address without name or scope, and a port. */
export type SocketAddress = { readonly address: string; readonly port: number };

const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;

/** Reads the value of XOR-MAPPED-ADDRESS; `mask` is the magic cookie and transaction ID. RFC 8489 §14.2. */
export function readXorAddress(value: Uint8Array, mask: Uint8Array): SocketAddress | null {
	if (value.length < 4) return null;
	const family = u8(value, 1);
	const size = family === FAMILY_IPV4 ? 4 : family === FAMILY_IPV6 ? 16 : -1;
	if (value.length !== 4 + size) return null;
	const port = u16(value, 2) ^ u16(mask, 0);
	const raw = value.subarray(4).map((byte, at) => byte ^ u8(mask, at));
	if (size === 4) return { address: raw.join("."), port };
	const groups = Array.from({ length: 8 }, (_, at) => u16(raw, at * 2).toString(16));
	return { address: new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1), port };
}

/** The value of XOR-MAPPED-ADDRESS. An address that is none becomes 0.0.0.0. */
export function xorAddress({ address, port }: SocketAddress, mask: Uint8Array): Uint8Array {
	const isV6 = isIPv6(address);
	const raw = isV6 ? ipv6Bytes(address) : Uint8Array.from(address.split("."), Number);
	const value = new Uint8Array(isV6 ? 20 : 8);
	value[1] = isV6 ? FAMILY_IPV6 : FAMILY_IPV4;
	putU16(value, 2, port ^ u16(mask, 0));
	for (let i = 0; i < value.length - 4; i++) value[4 + i] = u8(raw, i) ^ u8(mask, i);
	return value;
}

function ipv6Bytes(address: string): Uint8Array {
	// A URL writes every form in one: hexadecimal groups, of which one run of zeros is cut.
	const [host = ""] = address.split("%");
	const [head = "", tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split("::");
	const before = head === "" ? [] : head.split(":");
	const after = tail === undefined || tail === "" ? [] : tail.split(":");
	const groups = [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
	const bytes = new Uint8Array(16);
	for (const [at, group] of groups.entries()) putU16(bytes, at * 2, Number.parseInt(group, 16));
	return bytes;
}
