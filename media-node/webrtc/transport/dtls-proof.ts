/** What proves that a DTLS peer is who the session description says. RFC 5246 §7.4.3, §7.4.8, §7.4.9, RFC 8122 §5. */

import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from "node:crypto";
import { u8, u16, u24 } from "../../bytes/big-endian.ts";

/** The hash of a certificate, as `a=fingerprint` has it. */
export type Fingerprint = { readonly algorithm: string; readonly value: string };

/** SHA-1 and MD5 are no proof any more. */
const HASHES: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
	"sha-256": { name: "sha256", bytes: 32 },
	"sha-384": { name: "sha384", bytes: 48 },
	"sha-512": { name: "sha512", bytes: 64 },
};
const FINGERPRINT_VALUE = /^[0-9a-f]{2}(:[0-9a-f]{2}){31,63}$/i;
/** ecdsa_sha256 and rsa_pkcs1_sha256 as hash and signature of TLS 1.2: the only ones that are offered. */
const SIGNATURES: Readonly<Record<number, string>> = { 1027: "ec", 1025: "rsa" };
const VERIFY_DATA_BYTES = 12;

/** The hash that a fingerprint promises; `null` if it is malformed or of an algorithm that proves nothing. */
export function fingerprintHash({ algorithm, value }: Fingerprint): Uint8Array | null {
	const hash = HASHES[algorithm.toLowerCase()];
	if (hash === undefined || !FINGERPRINT_VALUE.test(value) || value.length !== hash.bytes * 3 - 1) return null;
	return Uint8Array.from(value.split(":"), (byte) => Number.parseInt(byte, 16));
}

/** The SHA-256 fingerprint of a certificate in DER. */
export function fingerprintOfCertificate(der: Uint8Array): Fingerprint {
	const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
	return { algorithm: "sha-256", value: hex.match(/../g)?.join(":") ?? "" };
}

/** Whether the certificate is the one of the fingerprint. */
export function isOfFingerprint(der: Uint8Array, fingerprint: Fingerprint): boolean {
	const expected = fingerprintHash(fingerprint);
	const hash = HASHES[fingerprint.algorithm.toLowerCase()];
	if (expected === null || hash === undefined) return false;
	return timingSafeEqual(createHash(hash.name).update(der).digest(), expected);
}

/** The first certificate of a Certificate message, in DER; `null` if there is none. */
export function firstCertificate(body: Uint8Array): Uint8Array | null {
	if (body.length < 6 || u24(body, 0) !== body.length - 3) return null;
	const length = u24(body, 3);
	return length === 0 || 6 + length > body.length ? null : body.slice(6, 6 + length);
}

/** Checks `CertificateVerify`: the signature of all messages before it. */
export function isCertificateVerifyRight(body: Uint8Array, certificate: Uint8Array, transcript: Uint8Array): boolean {
	if (body.length < 4 || u16(body, 2) !== body.length - 4) return false;
	return isSigned(u16(body, 0), certificate, [transcript], body.subarray(4));
}

/** Checks `ServerKeyExchange` of a named curve: the signature of both randoms and the key. RFC 8422 §5.4. */
export function isServerKeyRight(
	body: Uint8Array,
	certificate: Uint8Array,
	clientRandom: Uint8Array,
	serverRandom: Uint8Array,
): boolean {
	if (body.length < 4) return false;
	const paramsEnd = 4 + u8(body, 3);
	if (paramsEnd + 4 > body.length || u16(body, paramsEnd + 2) !== body.length - paramsEnd - 4) return false;
	const signed = [clientRandom, serverRandom, body.subarray(0, paramsEnd)];
	return isSigned(u16(body, paramsEnd), certificate, signed, body.subarray(paramsEnd + 4));
}

/** Checks `Finished` of a side: the hash of all messages before it, under the master secret. */
export function isFinishedRight(
	body: Uint8Array,
	side: "client" | "server",
	masterSecret: Uint8Array,
	transcript: Uint8Array,
): boolean {
	const seed = Buffer.concat([
		Buffer.from(`${side} finished`, "latin1"),
		createHash("sha256").update(transcript).digest(),
	]);
	const mac = (data: Uint8Array) => createHmac("sha256", masterSecret).update(data).digest();
	// One round of the pseudo-random function gives 32 bytes. RFC 5246 §5.
	const expected = mac(Buffer.concat([mac(seed), seed])).subarray(0, VERIFY_DATA_BYTES);
	return body.length === VERIFY_DATA_BYTES && timingSafeEqual(expected, body);
}

function isSigned(
	algorithm: number,
	certificate: Uint8Array,
	signed: readonly Uint8Array[],
	signature: Uint8Array,
): boolean {
	try {
		const key = new X509Certificate(certificate).publicKey;
		return SIGNATURES[algorithm] === key.asymmetricKeyType && verify("sha256", Buffer.concat(signed), key, signature);
	} catch {
		// The certificate cannot be read, or has a key that signs nothing.
		return false;
	}
}
