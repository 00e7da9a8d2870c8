/** Keys of certificates, requests to sign them, and one that is signed by nobody else. */

import { webcrypto } from "node:crypto";
import {
	PemConverter,
	Pkcs10CertificateRequestGenerator,
	SubjectAlternativeNameExtension,
	X509CertificateGenerator,
} from "@peculiar/x509";
import type { Certificate } from "../http/tls-files.ts";
import type { AcmeIdentifier } from "./acme-client.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const SELF_SIGNED_DAYS = 7;

export type SigningRequest = {
	/** Of the new key pair, in PEM. */
	readonly key: string;
	/** PKCS #10, RFC 2986, in DER. */
	readonly csr: Uint8Array;
};

/** Makes a key pair, and a request for a certificate of it that holds for all of `identifiers`. */
export async function createSigningRequest(identifiers: readonly AcmeIdentifier[]): Promise<SigningRequest> {
	const keys = await generateKeys();
	const request = await Pkcs10CertificateRequestGenerator.create({
		keys,
		signingAlgorithm: ALGORITHM,
		extensions: [new SubjectAlternativeNameExtension(identifiers.map(({ type, value }) => ({ type, value })))],
	});
	return { key: await pemOf(keys.privateKey), csr: new Uint8Array(request.rawData) };
}

/** A certificate that no client believes: until there is another, servers can open all the same. */
export async function createSelfSigned(identifiers: readonly AcmeIdentifier[], nowMs: number): Promise<Certificate> {
	const keys = await generateKeys();
	const certificate = await X509CertificateGenerator.createSelfSigned({
		name: "CN=Sluice",
		notBefore: new Date(nowMs),
		notAfter: new Date(nowMs + SELF_SIGNED_DAYS * 86_400_000),
		keys,
		signingAlgorithm: ALGORITHM,
		extensions: [new SubjectAlternativeNameExtension(identifiers.map(({ type, value }) => ({ type, value })))],
	});
	return { key: await pemOf(keys.privateKey), cert: certificate.toString("pem") };
}

function generateKeys() {
	return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
	return PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
