import { createHash, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { createCertificate, type DtlsCertificate, loadDtls } from "./dtls-adapter.ts";
import {
	fingerprintHash,
	fingerprintOfCertificate,
	firstCertificate,
	isCertificateVerifyRight,
	isFinishedRight,
	isOfFingerprint,
	isServerKeyRight,
} from "./dtls-proof.ts";

let certificate: DtlsCertificate;
let der: Uint8Array;
beforeAll(async () => {
	certificate = await createCertificate(await loadDtls());
	der = new Uint8Array(new X509Certificate(certificate.certPem).raw);
});

describe("fingerprints", () => {
	it.each(["sha-256", "sha-384", "SHA-512"])("are compared with %s in either case of letters", (algorithm) => {
		const hash = createHash(algorithm.toLowerCase().replace("-", "")).update(der).digest("hex");
		const value = hash.match(/../g)!.join(":");
		expect(isOfFingerprint(der, { algorithm, value })).toBe(true);
		expect(isOfFingerprint(der, { algorithm, value: value.toUpperCase() })).toBe(true);
		const other = value.startsWith("0") ? `1${value.slice(1)}` : `0${value.slice(1)}`;
		expect(isOfFingerprint(der, { algorithm, value: other })).toBe(false);
		expect(fingerprintHash({ algorithm, value: value.slice(3) })).toBeNull();
	});

	it("of algorithms that prove nothing are refused", () => {
		const value = createHash("sha1").update(der).digest("hex").match(/../g)!.join(":");
		expect(isOfFingerprint(der, { algorithm: "sha-1", value })).toBe(false);
		expect(isOfFingerprint(der, { algorithm: "", value: "" })).toBe(false);
	});

	it("of ours are as X.509 tools print them", () => {
		expect(fingerprintOfCertificate(der)).toEqual({
			algorithm: "sha-256",
			value: new X509Certificate(certificate.certPem).fingerprint256,
		});
		expect(certificate.fingerprint).toEqual(fingerprintOfCertificate(der));
	});
});

describe("firstCertificate", () => {
	it("reads the first of a chain, and nothing of a message that is cut", () => {
		const u24 = (value: number) => [value >> 16, (value >> 8) & 0xff, value & 0xff];
		const chain = [...u24(3), 1, 2, 3, ...u24(2), 4, 5];
		const body = Uint8Array.of(...u24(chain.length), ...chain);
		expect(firstCertificate(body)).toEqual(Uint8Array.of(1, 2, 3));
		for (let length = 0; length < body.length; length++) expect(firstCertificate(body.subarray(0, length))).toBeNull();
		expect(firstCertificate(Uint8Array.of(...u24(3), ...u24(0)))).toBeNull();
	});
});

describe("signatures", () => {
	const transcript = bytesOfHex("00112233");

	function verifyMessage(algorithm: number, hash = "sha256", signed = transcript): Uint8Array {
		const signature = sign(hash, signed, certificate.keyPem);
		return Uint8Array.of(
			algorithm >> 8,
			algorithm & 0xff,
			signature.length >> 8,
			signature.length & 0xff,
			...signature,
		);
	}

	it("of all that was said are right for that alone", () => {
		const body = verifyMessage(0x0403);
		expect(isCertificateVerifyRight(body, der, transcript)).toBe(true);
		expect(isCertificateVerifyRight(body, der, bytesOfHex("00112234"))).toBe(false);
		expect(isCertificateVerifyRight(verifyMessage(0x0401), der, transcript)).toBe(false);
		expect(isCertificateVerifyRight(verifyMessage(0x0203, "sha1"), der, transcript)).toBe(false);
		expect(isCertificateVerifyRight(body, der.subarray(0, 100), transcript)).toBe(false);
		for (let length = 0; length < body.length; length++) {
			expect(isCertificateVerifyRight(body.subarray(0, length), der, transcript)).toBe(false);
		}
	});

	it("of the server's key are right with both randoms alone", () => {
		const [client, server] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
		const params = Uint8Array.of(3, 0, 23, 4, 9, 9, 9, 9);
		const signature = sign("sha256", Buffer.concat([client, server, params]), certificate.keyPem);
		const body = Uint8Array.of(...params, 4, 3, signature.length >> 8, signature.length & 0xff, ...signature);
		expect(isServerKeyRight(body, der, client, server)).toBe(true);
		expect(isServerKeyRight(body, der, server, client)).toBe(false);
		for (let at = 0; at < params.length; at++) {
			const changed = body.slice();
			changed[at] = changed[at]! ^ 1;
			expect(isServerKeyRight(changed, der, client, server)).toBe(false);
		}
		for (let length = 0; length < body.length; length++) {
			expect(isServerKeyRight(body.subarray(0, length), der, client, server)).toBe(false);
		}
	});

	it("of a key of no use for signatures are refused", () => {
		const { publicKey } = generateKeyPairSync("x25519");
		const notACertificate = publicKey.export({ type: "spki", format: "der" });
		expect(isCertificateVerifyRight(verifyMessage(0x0403), notACertificate, transcript)).toBe(false);
	});
});

describe("isFinishedRight", () => {
	it("agrees with the pseudo-random function of TLS 1.2, for each side by its own label", async () => {
		const library = await loadDtls();
		const master = Buffer.alloc(48, 7);
		const transcript = Buffer.from("all that was said");
		for (const [side, type] of [
			["client", 1],
			["server", 2],
		] as const) {
			const context = new library.CipherContext(type, undefined, undefined, undefined);
			context.masterSecret = master;
			const body = context.verifyData(transcript);
			expect(isFinishedRight(body, side, master, transcript)).toBe(true);
			expect(isFinishedRight(body, side === "client" ? "server" : "client", master, transcript)).toBe(false);
			expect(isFinishedRight(body, side, master, Buffer.from("something else"))).toBe(false);
			expect(isFinishedRight(body.subarray(1), side, master, transcript)).toBe(false);
		}
	});
});
