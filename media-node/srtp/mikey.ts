import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";

/** The longest message that is read. One of RTSP has some 120 bytes. */
export const MAX_MIKEY_BYTES = 8_192;
/** How many sources a message may name. */
export const MAX_MIKEY_SOURCES = 64;
const MAX_PAYLOADS = 32;
const MAX_POLICIES = 8;
const MAX_PARAMETERS = 32;
const MAX_KEYS = 8;

/**
 * A MIKEY message of the kind that RTSP carries: the keys of SRTP, in clear, as the connection is encrypted. Views of
 * the bytes that it was parsed from.
 *
 * @see RFC 3830 §6, RFC 4567 §4
 */
export type MikeyMessage = {
	/** The V flag: the sender expects a verification message. RTSP peers send none. */
	readonly wantsAnswer: boolean;
	/** The crypto session bundle that the message is for. */
	readonly bundle: number;
	readonly sources: readonly MikeySource[];
	readonly timestamp: MikeyTimestamp;
	/** The RAND payload; null if there is none. */
	readonly random: Uint8Array | null;
	readonly policies: readonly MikeyPolicy[];
	readonly keys: readonly MikeyKey[];
};

/** One crypto session of the SRTP-ID map. RFC 3830 §6.1.1. */
export type MikeySource = {
	/** The number of its policy. */
	readonly policy: number;
	readonly ssrc: number;
	/** The roll-over counter that the source is at. */
	readonly rollover: number;
};

/** RFC 3830 §6.6. */
export type MikeyTimestamp = { readonly type: TimestampType; readonly value: Uint8Array };

/** NTP time stamps have 8 bytes, a counter has 4. */
export const TimestampType = { ntpUtc: 0, ntp: 1, counter: 2 } as const;
export type TimestampType = (typeof TimestampType)[keyof typeof TimestampType];

/** A security policy of SRTP. RFC 3830 §6.10. */
export type MikeyPolicy = { readonly number: number; readonly parameters: readonly MikeyParameter[] };

/** One parameter of a policy, by its type in RFC 3830 §6.10.1. */
export type MikeyParameter = { readonly type: number; readonly value: Uint8Array };

/** A traffic-encrypting key. RFC 3830 §6.13. */
export type MikeyKey = {
	/** The master key. With `salt` null it is followed by the salt, which is how RTSP peers write it. */
	readonly key: Uint8Array;
	readonly salt: Uint8Array | null;
	/** The security parameter index: the master key identifier of packets. Null if the key is valid always. */
	readonly spi: Uint8Array | null;
};

const PROTOCOL_VERSION = 1;
const PRE_SHARED_KEY = 0;
const SRTP_ID_MAP = 0;
const SRTP_PROTOCOL = 0;
const NO_ALGORITHM = 0;

/** RFC 3830 §6.1, table 6.1.b. */
const Payload = { last: 0, kemac: 1, timestamp: 5, id: 6, policy: 10, random: 11, keyData: 20, extension: 21 } as const;
/** RFC 3830 §6.13. */
const KeyType = { tek: 2, tekAndSalt: 3 } as const;
const Validity = { none: 0, spi: 1 } as const;

/**
 * Parses a message. Throws `bytes.truncated`, `bytes.malformed` and `bytes.limit`, and `media.unsupported` for what
 * RTSP has no use for: other kinds of exchange, keys that are encrypted, protocols other than SRTP.
 */
export function parseMikey(bytes: Uint8Array): MikeyMessage {
	if (bytes.length > MAX_MIKEY_BYTES) throw tooMany("bytes in a MIKEY message", MAX_MIKEY_BYTES);
	const reader = new ByteReader(bytes);
	expectEqual("version", reader.u8(), PROTOCOL_VERSION);
	expectEqual("data type", reader.u8(), PRE_SHARED_KEY);
	let next = reader.u8();
	const wantsAnswer = reader.u8() >= 0x80;
	const bundle = reader.u32();
	const sources = readSources(reader);

	let timestamp: MikeyTimestamp | null = null;
	let random: Uint8Array | null = null;
	const policies: MikeyPolicy[] = [];
	const keys: MikeyKey[] = [];
	for (let count = 0; next !== Payload.last; count++) {
		if (count === MAX_PAYLOADS) throw tooMany("payloads in a MIKEY message", MAX_PAYLOADS);
		const type = next;
		next = reader.u8();
		if (type === Payload.timestamp) timestamp = readTimestamp(reader);
		else if (type === Payload.random) random = reader.bytes(reader.u8());
		else if (type === Payload.policy) policies.push(readPolicy(reader));
		else if (type === Payload.kemac) keys.push(...readKemac(reader));
		else if (type === Payload.id || type === Payload.extension) skipTyped(reader);
		else throw unsupported(`payload of type ${type}`);
		if (policies.length > MAX_POLICIES) throw tooMany("policies in a MIKEY message", MAX_POLICIES);
		if (keys.length > MAX_KEYS) throw tooMany("keys in a MIKEY message", MAX_KEYS);
	}
	reader.expectEnd("A MIKEY message");
	if (timestamp === null) throw new ProtocolError("bytes.malformed", "A MIKEY message has no time stamp");
	return { wantsAnswer, bundle, sources, timestamp, random, policies, keys };
}

/** Writes a message. Throws a RangeError for what has no room in its field. */
export function writeMikey(message: MikeyMessage): Uint8Array {
	const payloads: [type: number, write: (writer: ByteWriter) => void][] = [];
	payloads.push([Payload.timestamp, (writer) => writeTimestamp(writer, message.timestamp)]);
	const { random } = message;
	if (random !== null) payloads.push([Payload.random, (writer) => writeShort(writer, random)]);
	for (const policy of message.policies) payloads.push([Payload.policy, (writer) => writePolicy(writer, policy)]);
	if (message.keys.length > 0) payloads.push([Payload.kemac, (writer) => writeKemac(writer, message.keys)]);

	const writer = new ByteWriter();
	writer.u8(PROTOCOL_VERSION);
	writer.u8(PRE_SHARED_KEY);
	writer.u8(payloads[0]?.[0] ?? Payload.last);
	// The pseudo-random function in the lower bits is MIKEY-1, the only one.
	writer.u8(message.wantsAnswer ? 0x80 : 0);
	writer.u32(message.bundle);
	writer.u8(within("sources", message.sources.length, MAX_MIKEY_SOURCES));
	writer.u8(SRTP_ID_MAP);
	for (const { policy, ssrc, rollover } of message.sources) {
		writer.u8(policy);
		writer.u32(ssrc);
		writer.u32(rollover);
	}
	for (const [i, [, write]] of payloads.entries()) {
		writer.u8(payloads[i + 1]?.[0] ?? Payload.last);
		write(writer);
	}
	return writer.written.slice();
}

function readSources(reader: ByteReader): MikeySource[] {
	const count = reader.u8();
	if (count > MAX_MIKEY_SOURCES) throw tooMany("sources in a MIKEY message", MAX_MIKEY_SOURCES);
	expectEqual("CS ID map type", reader.u8(), SRTP_ID_MAP);
	return Array.from({ length: count }, () => ({ policy: reader.u8(), ssrc: reader.u32(), rollover: reader.u32() }));
}

function readTimestamp(reader: ByteReader): MikeyTimestamp {
	const type = reader.u8();
	if (type === TimestampType.counter) return { type, value: reader.bytes(4) };
	if (type === TimestampType.ntpUtc || type === TimestampType.ntp) return { type, value: reader.bytes(8) };
	throw unsupported(`time stamp of type ${type}`);
}

function writeTimestamp(writer: ByteWriter, { type, value }: MikeyTimestamp): void {
	const length = type === TimestampType.counter ? 4 : 8;
	if (value.length !== length) throw new RangeError(`A MIKEY time stamp of type ${type} has ${length} bytes`);
	writer.u8(type);
	writer.bytes(value);
}

function readPolicy(reader: ByteReader): MikeyPolicy {
	const number = reader.u8();
	expectEqual("security protocol", reader.u8(), SRTP_PROTOCOL);
	const body = reader.sub(reader.u16());
	const parameters: MikeyParameter[] = [];
	while (body.remaining > 0) {
		if (parameters.length === MAX_PARAMETERS) throw tooMany("parameters of a MIKEY policy", MAX_PARAMETERS);
		parameters.push({ type: body.u8(), value: body.bytes(body.u8()) });
	}
	return { number, parameters };
}

function writePolicy(writer: ByteWriter, { number, parameters }: MikeyPolicy): void {
	writer.u8(number);
	writer.u8(SRTP_PROTOCOL);
	writeSized(writer, () => {
		for (const { type, value } of parameters) {
			writer.u8(type);
			writeShort(writer, value);
		}
	});
}

/** The key data transport, which neither encrypts nor authenticates: that is left to TLS. RFC 3830 §6.2. */
function readKemac(reader: ByteReader): MikeyKey[] {
	expectEqual("encryption algorithm", reader.u8(), NO_ALGORITHM);
	const body = reader.sub(reader.u16());
	const keys: MikeyKey[] = [];
	for (let next: number = Payload.keyData; next !== Payload.last; ) {
		if (next !== Payload.keyData) throw unsupported(`payload of type ${next} among the keys`);
		if (keys.length === MAX_KEYS) throw tooMany("keys in a MIKEY message", MAX_KEYS);
		next = body.u8();
		keys.push(readKey(body));
	}
	body.expectEnd("The keys of a MIKEY message");
	expectEqual("MAC algorithm", reader.u8(), NO_ALGORITHM);
	return keys;
}

function writeKemac(writer: ByteWriter, keys: readonly MikeyKey[]): void {
	writer.u8(NO_ALGORITHM);
	writeSized(writer, () => {
		for (const [i, key] of keys.entries()) {
			writer.u8(i === keys.length - 1 ? Payload.last : Payload.keyData);
			writeKey(writer, key);
		}
	});
	writer.u8(NO_ALGORITHM);
}

function readKey(reader: ByteReader): MikeyKey {
	const kind = reader.u8();
	const type = kind >> 4;
	const validity = kind & 0x0f;
	if (type !== KeyType.tek && type !== KeyType.tekAndSalt) throw unsupported(`key of type ${type}`);
	if (validity !== Validity.none && validity !== Validity.spi) throw unsupported(`key validity of type ${validity}`);
	const key = reader.bytes(reader.u16());
	const salt = type === KeyType.tekAndSalt ? reader.bytes(reader.u16()) : null;
	const spi = validity === Validity.spi ? reader.bytes(reader.u8()) : null;
	return { key, salt, spi };
}

function writeKey(writer: ByteWriter, { key, salt, spi }: MikeyKey): void {
	const type = salt === null ? KeyType.tek : KeyType.tekAndSalt;
	writer.u8((type << 4) | (spi === null ? Validity.none : Validity.spi));
	writeSized(writer, () => writer.bytes(key));
	if (salt !== null) writeSized(writer, () => writer.bytes(salt));
	if (spi !== null) writeShort(writer, spi);
}

/** Identities and extensions have the same shape: type, length, data. RFC 3830 §6.7, §6.15. */
function skipTyped(reader: ByteReader): void {
	reader.skip(1);
	reader.skip(reader.u16());
}

function writeShort(writer: ByteWriter, bytes: Uint8Array): void {
	writer.u8(within("bytes of a MIKEY field", bytes.length, 0xff));
	writer.bytes(bytes);
}

function writeSized(writer: ByteWriter, body: () => void): void {
	const start = writer.length;
	writer.u16(0);
	body();
	writer.patchU16(start, within("bytes of a MIKEY field", writer.length - start - 2, 0xffff));
}

function within(what: string, count: number, max: number): number {
	if (count <= max) return count;
	throw new RangeError(`${count} ${what} are more than ${max}`);
}

function expectEqual(what: string, value: number, expected: number): void {
	if (value !== expected) throw unsupported(`${what} ${value}`);
}

function unsupported(what: string): ProtocolError {
	return new ProtocolError("media.unsupported", `A MIKEY message has a ${what}, which is not supported`);
}

function tooMany(what: string, max: number): ProtocolError {
	return new ProtocolError("bytes.limit", `There are more than ${max} ${what}`);
}
