/** STUN messages of the method Binding, as ICE uses them. RFC 8489, RFC 8445 §7.1. */

import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import { u8, u16, u32 } from "../../bytes/big-endian.ts";
import { readXorAddress, type SocketAddress } from "./stun-address.ts";

/** The longest message that is read: what fits into a packet that is not fragmented. */
export const MAX_STUN_BYTES = 1500;
/** RFC 8489 §14.3. */
const MAX_USERNAME_BYTES = 513;
const MAX_ATTRIBUTES = 32;

export const STUN_HEADER_BYTES = 20;
export const STUN_MAGIC_COOKIE = 0x2112a442;
export const INTEGRITY_BYTES = 20;
const FINGERPRINT_XOR = 0x5354554e;

/** RFC 8489 §18.3, RFC 8445 §16.1. */
export const StunAttribute = {
	username: 0x0006,
	messageIntegrity: 0x0008,
	errorCode: 0x0009,
	unknownAttributes: 0x000a,
	messageIntegritySha256: 0x001c,
	xorMappedAddress: 0x0020,
	priority: 0x0024,
	useCandidate: 0x0025,
	fingerprint: 0x8028,
	iceControlled: 0x8029,
	iceControlling: 0x802a,
} as const;

/** The message types of the method Binding. RFC 8489 §5. */
export const StunType = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;
export type StunKind = keyof typeof StunType;

/** A message that was read. All that has bytes is a view. */
export type StunMessage = {
	readonly kind: StunKind;
	/** 12 bytes. */
	readonly transactionId: Uint8Array;
	readonly username: string | null;
	readonly priority: number | null;
	readonly useCandidate: boolean;
	/** The role that the sender says it has. */
	readonly role: "controlling" | "controlled" | null;
	/** 64 bits that come with the role; `null` without one. */
	readonly tieBreaker: bigint | null;
	readonly mappedAddress: SocketAddress | null;
	/** 300-699. */
	readonly errorCode: number | null;
	/** Attributes that must be understood to go on, and are not. */
	readonly unknown: readonly number[];
	readonly hasFingerprint: boolean;
	/** Where MESSAGE-INTEGRITY begins; -1: there is none. */
	readonly integrityAt: number;
	readonly bytes: Uint8Array;
};

const KINDS = new Map<number, StunKind>(Object.entries(StunType).map(([kind, type]) => [type, kind as StunKind]));

/** Reads a message; `null` if it is none of the method Binding, is malformed, or has a wrong fingerprint. */
export function parseStun(bytes: Uint8Array): StunMessage | null {
	if (bytes.length < STUN_HEADER_BYTES || bytes.length > MAX_STUN_BYTES || bytes.length % 4 !== 0) return null;
	const kind = KINDS.get(u16(bytes, 0));
	if (kind === undefined || u32(bytes, 4) !== STUN_MAGIC_COOKIE) return null;
	if (u16(bytes, 2) !== bytes.length - STUN_HEADER_BYTES) return null;

	let username: string | null = null;
	let priority: number | null = null;
	let useCandidate = false;
	let role: StunMessage["role"] = null;
	let tieBreaker: bigint | null = null;
	let mappedAddress: SocketAddress | null = null;
	let errorCode: number | null = null;
	let hasFingerprint = false;
	let integrityAt = -1;
	const unknown: number[] = [];

	let at = STUN_HEADER_BYTES;
	for (let count = 0; at < bytes.length; count++) {
		// Nothing follows the fingerprint. RFC 8489 §14.7.
		if (count === MAX_ATTRIBUTES || hasFingerprint || at + 4 > bytes.length) return null;
		const type = u16(bytes, at);
		const length = u16(bytes, at + 2);
		const value = at + 4;
		if (value + length > bytes.length) return null;
		if (type === StunAttribute.fingerprint) {
			if (length !== 4 || u32(bytes, value) !== fingerprintOf(bytes.subarray(0, at))) return null;
			hasFingerprint = true;
		} else if (integrityAt === -1) {
			// What follows the integrity is of nobody. RFC 8489 §14.5.
			switch (type) {
				case StunAttribute.username:
					if (length === 0 || length > MAX_USERNAME_BYTES) return null;
					username = latin1(bytes.subarray(value, value + length));
					break;
				case StunAttribute.messageIntegrity:
					if (length !== INTEGRITY_BYTES) return null;
					integrityAt = at;
					break;
				case StunAttribute.priority:
					if (length !== 4) return null;
					priority = u32(bytes, value);
					break;
				case StunAttribute.useCandidate:
					if (length !== 0) return null;
					useCandidate = true;
					break;
				case StunAttribute.iceControlled:
				case StunAttribute.iceControlling:
					if (length !== 8) return null;
					role = type === StunAttribute.iceControlled ? "controlled" : "controlling";
					tieBreaker = (BigInt(u32(bytes, value)) << 32n) | BigInt(u32(bytes, value + 4));
					break;
				case StunAttribute.xorMappedAddress:
					mappedAddress = readXorAddress(bytes.subarray(value, value + length), bytes.subarray(4, STUN_HEADER_BYTES));
					if (mappedAddress === null) return null;
					break;
				case StunAttribute.errorCode:
					if (length < 4) return null;
					errorCode = (u8(bytes, value + 2) & 0x07) * 100 + u8(bytes, value + 3);
					break;
				case StunAttribute.unknownAttributes:
				case StunAttribute.messageIntegritySha256:
					break;
				default:
					if (type < 0x8000) unknown.push(type);
			}
		}
		at = value + length + (-length & 3);
	}
	if (at !== bytes.length) return null;
	const transactionId = bytes.subarray(8, STUN_HEADER_BYTES);
	return {
		...{ kind, transactionId, username, priority, useCandidate, role, tieBreaker, mappedAddress, errorCode, unknown },
		...{ hasFingerprint, integrityAt, bytes },
	};
}

/** Whether the message was made by somebody who has the key. Takes the same time for every wrong one. */
export function hasIntegrity(message: StunMessage, key: KeyObject): boolean {
	const { bytes, integrityAt } = message;
	if (integrityAt === -1) return false;
	const given = bytes.subarray(integrityAt + 4, integrityAt + 4 + INTEGRITY_BYTES);
	return timingSafeEqual(integrityOf(bytes, integrityAt, key), given);
}

/** HMAC-SHA1 of what stands before `at`, with the length as if the message ended with the integrity. RFC 8489 §14.5. */
export function integrityOf(bytes: Uint8Array, at: number, key: KeyObject): Uint8Array {
	const length = at + 4 + INTEGRITY_BYTES - STUN_HEADER_BYTES;
	return createHmac("sha1", key)
		.update(bytes.subarray(0, 2))
		.update(Uint8Array.of(length >> 8, length & 0xff))
		.update(bytes.subarray(4, at))
		.digest();
}

/** The value of FINGERPRINT after `bytes`, whose header has the length of the whole already. RFC 8489 §14.7. */
export function fingerprintOf(bytes: Uint8Array): number {
	return (crc32(bytes) ^ FINGERPRINT_XOR) >>> 0;
}

function latin1(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
