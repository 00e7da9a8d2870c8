import { randomBytes } from "node:crypto";
import { ProtocolError } from "#shared/problem.ts";
import { putU32, u8, u32 } from "../bytes/big-endian.ts";
import { type MikeyMessage, type MikeyParameter, type MikeyPolicy, TimestampType } from "./mikey.ts";
import { MASTER_KEY_BYTES, MAX_MKI_BYTES, masterSaltBytes, type SrtpMasterKey, type SrtpProfile } from "./profile.ts";

/** What a message says about a session: all that its contexts need. */
export type MikeySession = {
	readonly master: SrtpMasterKey;
	/** Whether RTCP is encrypted, or only authenticated. */
	readonly encryptsRtcp: boolean;
	/** The sources that the key is for, and their roll-over counters. It may be that none are named. */
	readonly sources: readonly { readonly ssrc: number; readonly rollover: number }[];
};

/** What {@link mikeyFor} is told. */
export type MikeyOffer = {
	readonly key: Uint8Array;
	readonly salt: Uint8Array;
	/** Of these, those that are told without a roll-over counter are at 0. */
	readonly ssrcs: readonly (number | { readonly ssrc: number; readonly rollover: number })[];
	/** `AES_CM_128_HMAC_SHA1_80` if not told: the one that all peers know. */
	readonly profile?: SrtpProfile;
	readonly mki?: Uint8Array;
	/** Milliseconds since the Unix epoch. */
	readonly nowMs: number;
};

/** Types of policy parameters. RFC 3830 §6.10.1; the last one is of RFC 7714 §14.4. */
const Parameter = {
	encryption: 0,
	encryptionKeyBytes: 1,
	authentication: 2,
	authenticationKeyBytes: 3,
	saltBytes: 4,
	pseudoRandomFunction: 5,
	keyDerivationRate: 6,
	encryptsRtp: 7,
	encryptsRtcp: 8,
	authenticatesRtp: 10,
	tagBytes: 11,
	aeadTagBytes: 20,
} as const;

const Encryption = { aesCm: 1, aesGcm: 6 } as const;
const HMAC_SHA1 = 1;
const AEAD_TAG_BYTES = 16;
const RANDOM_BYTES = 16;
/** Seconds from 1900 to 1970. */
const UNIX_EPOCH = 2_208_988_800;

/**
 * The message that hands out a master key, as peers of RTSP understand it: one policy, and the key followed by its
 * salt. Throws a RangeError if the key or salt has not the size that the profile asks for.
 */
export function mikeyFor(offer: MikeyOffer): MikeyMessage {
	const { key, salt, ssrcs, profile = "AES_CM_128_HMAC_SHA1_80", mki, nowMs } = offer;
	if (key.length !== MASTER_KEY_BYTES || salt.length !== masterSaltBytes(profile)) {
		throw new RangeError(`${profile} has a key of ${MASTER_KEY_BYTES} and a salt of ${masterSaltBytes(profile)} bytes`);
	}
	return {
		wantsAnswer: false,
		bundle: u32(randomBytes(4), 0),
		sources: ssrcs.map((source) => {
			const { ssrc, rollover } = typeof source === "number" ? { ssrc: source, rollover: 0 } : source;
			return { policy: 0, ssrc, rollover };
		}),
		timestamp: { type: TimestampType.ntpUtc, value: ntpBytes(nowMs) },
		random: new Uint8Array(randomBytes(RANDOM_BYTES)),
		policies: [{ number: 0, parameters: parametersOf(profile) }],
		keys: [{ key: Uint8Array.of(...key, ...salt), salt: null, spi: mki ?? null }],
	};
}

/**
 * The master key of a message, copied, with its profile and sources. Of several keys it is the first. Throws
 * `media.unsupported` if there is none, or one for an algorithm that is not supported.
 */
export function keysOf(message: MikeyMessage): MikeySession {
	const first = message.keys[0];
	if (first === undefined) throw unsupported("has no key");
	const number = message.sources[0]?.policy ?? message.policies[0]?.number ?? 0;
	const policy = message.policies.find((candidate) => candidate.number === number);
	const profile = profileOf(policy);

	const { spi } = first;
	const key = first.key.slice(0, MASTER_KEY_BYTES);
	const salt = first.salt?.slice() ?? first.key.slice(MASTER_KEY_BYTES);
	const spareBytes = first.salt === null ? 0 : first.key.length - MASTER_KEY_BYTES;
	if (key.length !== MASTER_KEY_BYTES || salt.length !== masterSaltBytes(profile) || spareBytes !== 0) {
		throw unsupported(`has ${first.key.length} bytes of key and ${first.salt?.length ?? 0} of salt for ${profile}`);
	}
	if (spi !== null && spi.length > MAX_MKI_BYTES) throw unsupported(`has a key identifier of ${spi.length} bytes`);
	return {
		master: { profile, key, salt, ...(spi !== null && { mki: spi.slice() }) },
		encryptsRtcp: (numberOf(policy, Parameter.encryptsRtcp) ?? 1) !== 0,
		sources: message.sources.map(({ ssrc, rollover }) => ({ ssrc, rollover })),
	};
}

function parametersOf(profile: SrtpProfile): MikeyParameter[] {
	const ofOneByte = (type: number, value: number) => ({ type, value: Uint8Array.of(value) });
	const switches = [
		ofOneByte(Parameter.encryptsRtp, 1),
		ofOneByte(Parameter.encryptsRtcp, 1),
		ofOneByte(Parameter.authenticatesRtp, 1),
	];
	if (profile === "AEAD_AES_128_GCM") {
		return [
			ofOneByte(Parameter.encryption, Encryption.aesGcm),
			ofOneByte(Parameter.encryptionKeyBytes, MASTER_KEY_BYTES),
			ofOneByte(Parameter.authentication, 0),
			ofOneByte(Parameter.saltBytes, masterSaltBytes(profile)),
			...switches,
			ofOneByte(Parameter.aeadTagBytes, AEAD_TAG_BYTES),
		];
	}
	const tagBytes = profile === "AES_CM_128_HMAC_SHA1_32" ? 4 : 10;
	return [
		ofOneByte(Parameter.encryption, Encryption.aesCm),
		ofOneByte(Parameter.encryptionKeyBytes, MASTER_KEY_BYTES),
		ofOneByte(Parameter.authentication, HMAC_SHA1),
		// The key has 20 bytes, but GStreamer takes the length of the tag from here, and gortsplib writes it so.
		ofOneByte(Parameter.authenticationKeyBytes, tagBytes),
		...switches,
		ofOneByte(Parameter.tagBytes, tagBytes),
	];
}

/** The profile that a policy asks for. What it leaves out is AES-CM with a tag of 80 bits. RFC 3830 §6.10.1. */
function profileOf(policy: MikeyPolicy | undefined): SrtpProfile {
	const expect = (type: number, what: string, ...allowed: number[]) => {
		const value = numberOf(policy, type);
		if (value !== undefined && !allowed.includes(value)) throw unsupported(`asks for ${what} ${value}`);
	};
	expect(Parameter.encryptionKeyBytes, "a session key length of", MASTER_KEY_BYTES);
	expect(Parameter.pseudoRandomFunction, "pseudo-random function", 0);
	expect(Parameter.keyDerivationRate, "a key derivation rate of", 0);
	expect(Parameter.encryptsRtp, "RTP encryption", 1);
	expect(Parameter.authenticatesRtp, "RTP authentication", 1);

	const encryption = numberOf(policy, Parameter.encryption) ?? Encryption.aesCm;
	if (encryption === Encryption.aesGcm) {
		expect(Parameter.aeadTagBytes, "a tag length of", AEAD_TAG_BYTES);
		return "AEAD_AES_128_GCM";
	}
	if (encryption !== Encryption.aesCm) throw unsupported(`asks for encryption ${encryption}`);
	expect(Parameter.authentication, "authentication", HMAC_SHA1);
	expect(Parameter.tagBytes, "a tag length of", 4, 10);
	// Where there is no length of the tag, that of the key stands for it if it is one. See parametersOf.
	const tagBytes = numberOf(policy, Parameter.tagBytes) ?? numberOf(policy, Parameter.authenticationKeyBytes);
	return tagBytes === 4 ? "AES_CM_128_HMAC_SHA1_32" : "AES_CM_128_HMAC_SHA1_80";
}

/** The value of a parameter, of up to four bytes; `undefined` if it is not there. */
function numberOf(policy: MikeyPolicy | undefined, type: number): number | undefined {
	const parameter = policy?.parameters.find((candidate) => candidate.type === type);
	if (parameter === undefined) return undefined;
	const { value } = parameter;
	if (value.length > 4) throw unsupported(`has a parameter ${type} of ${value.length} bytes`);
	let number = 0;
	for (let i = 0; i < value.length; i++) number = number * 256 + u8(value, i);
	return number;
}

function ntpBytes(unixMs: number): Uint8Array {
	const bytes = new Uint8Array(8);
	const seconds = Math.floor(unixMs / 1000);
	putU32(bytes, 0, seconds + UNIX_EPOCH);
	putU32(bytes, 4, Math.floor(((unixMs - seconds * 1000) / 1000) * 2 ** 32));
	return bytes;
}

function unsupported(what: string): ProtocolError {
	return new ProtocolError("media.unsupported", `The MIKEY message ${what}, which is not supported`);
}
