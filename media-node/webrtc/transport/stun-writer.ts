import type { KeyObject } from "node:crypto";
import { putU16, putU32 } from "../../bytes/big-endian.ts";
import {
	fingerprintOf,
	INTEGRITY_BYTES,
	integrityOf,
	STUN_HEADER_BYTES,
	STUN_MAGIC_COOKIE,
	StunAttribute,
	type StunKind,
	StunType,
} from "./stun.ts";
import { type SocketAddress, xorAddress } from "./stun-address.ts";

type Attribute = readonly [type: number, value: Uint8Array];

export type BindingRequest = {
	/** 12 random bytes. */
	readonly transactionId: Uint8Array;
	/** `<ufrag of the receiver>:<ufrag of the sender>`. */
	readonly username: string;
	readonly priority: number;
	readonly role: "controlling" | "controlled";
	/** 64 bits that settle who of two with the same role has it. */
	readonly tieBreaker: bigint;
	readonly useCandidate: boolean;
};

/** A connectivity check. `key` is the password of the receiver. RFC 8445 §7.2.2. */
export function writeBindingRequest(request: BindingRequest, key: KeyObject): Uint8Array {
	const priority = new Uint8Array(4);
	putU32(priority, 0, request.priority);
	const tieBreaker = new Uint8Array(8);
	new DataView(tieBreaker.buffer).setBigUint64(0, request.tieBreaker);
	const role = request.role === "controlling" ? StunAttribute.iceControlling : StunAttribute.iceControlled;
	return write(
		"request",
		request.transactionId,
		[
			[StunAttribute.username, Buffer.from(request.username, "latin1")],
			[StunAttribute.priority, priority],
			[role, tieBreaker],
			...(request.useCandidate ? [[StunAttribute.useCandidate, new Uint8Array(0)] as const] : []),
		],
		key,
	);
}

/** The answer to a check: the address that it came from. */
export function writeBindingSuccess(transactionId: Uint8Array, from: SocketAddress, key: KeyObject): Uint8Array {
	const mask = new Uint8Array(16);
	putU32(mask, 0, STUN_MAGIC_COOKIE);
	mask.set(transactionId, 4);
	return write("success", transactionId, [[StunAttribute.xorMappedAddress, xorAddress(from, mask)]], key);
}

/**
 * Refuses a check. `key` is `null` where the sender did not prove to have it. The reason phrase is left out: the answer
 * is to be no longer than the request, whose sender may be forged.
 */
export function writeBindingError(
	transactionId: Uint8Array,
	code: 400 | 401 | 420 | 487,
	key: KeyObject | null,
	unknown: readonly number[] = [],
): Uint8Array {
	const attributes: Attribute[] = [[StunAttribute.errorCode, Uint8Array.of(0, 0, Math.floor(code / 100), code % 100)]];
	if (unknown.length > 0) {
		const types = new Uint8Array(unknown.length * 2);
		for (const [at, type] of unknown.entries()) putU16(types, at * 2, type);
		attributes.push([StunAttribute.unknownAttributes, types]);
	}
	return write("error", transactionId, attributes, key);
}

function write(
	kind: StunKind,
	transactionId: Uint8Array,
	attributes: readonly Attribute[],
	key: KeyObject | null,
): Uint8Array {
	const body = attributes.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0);
	const integrity = key === null ? 0 : 4 + INTEGRITY_BYTES;
	const bytes = new Uint8Array(STUN_HEADER_BYTES + body + integrity + 8);
	putU16(bytes, 0, StunType[kind]);
	putU16(bytes, 2, bytes.length - STUN_HEADER_BYTES);
	putU32(bytes, 4, STUN_MAGIC_COOKIE);
	bytes.set(transactionId, 8);
	let at = STUN_HEADER_BYTES;
	const put = (type: number, value: Uint8Array) => {
		putU16(bytes, at, type);
		putU16(bytes, at + 2, value.length);
		bytes.set(value, at + 4);
		at += 4 + padded(value.length);
	};
	for (const [type, value] of attributes) put(type, value);
	if (key !== null) put(StunAttribute.messageIntegrity, integrityOf(bytes, at, key));
	const fingerprint = new Uint8Array(4);
	putU32(fingerprint, 0, fingerprintOf(bytes.subarray(0, at)));
	put(StunAttribute.fingerprint, fingerprint);
	return bytes;
}

function padded(length: number): number {
	return length + (-length & 3);
}
