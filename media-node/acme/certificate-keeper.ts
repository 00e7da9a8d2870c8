/** Keeps a certificate of this node in two files, and renews it in time. The servers follow the files by themselves. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import path from "node:path";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { abortedError, type Clock } from "#shared/clock.ts";
import { SluiceError } from "#shared/problem.ts";
import { readPrivateFile, replacePrivateFile } from "../config/private-file.ts";
import type { Certificate, TlsFiles } from "../http/tls-files.ts";
import type { Logger } from "../log.ts";
import { AcmeClient, type AcmeIdentifier } from "./acme-client.ts";
import { ChallengeServer } from "./challenge-server.ts";
import { obtainCertificate } from "./obtain-certificate.ts";
import { createSelfSigned } from "./signing-request.ts";

/** How often it is looked whether it is time: a machine may have slept. */
const LOOK_MS = 3_600_000;
/** After failures, one after the other; authorities limit how often one may fail in an hour. */
const RETRY_MS = [60_000, 600_000, 1_800_000, 7_200_000, 21_600_000] as const;
/** A certificate is renewed when this part of its life is left. */
const RENEW_AT = 1 / 3;

export type AcmeSettings = {
	/** Of the authority's directory. */
	readonly directory: string;
	/** Empty: none. */
	readonly email: string;
	readonly identifiers: readonly AcmeIdentifier[];
	/** Where challenges are answered: authorities ask on port 80. */
	readonly address: string;
	/** Where keys and certificate are kept. */
	readonly folder: string;
};

export type CertificateKeeperOptions = AcmeSettings & { readonly clock: Clock; readonly log: Logger };

/** Where the certificate is in `folder`. */
export function certificateFiles(folder: string): TlsFiles {
	return { keyFile: path.join(folder, "server.key"), certFile: path.join(folder, "server.crt") };
}

export class CertificateKeeper implements AsyncDisposable {
	readonly #options: CertificateKeeperOptions;
	readonly #stop = new AbortController();
	#run: Promise<void> = Promise.resolve();
	#failures = 0;

	private constructor(options: CertificateKeeperOptions) {
		this.#options = options;
	}

	/**
	 * Makes sure that there are files, which hold a certificate of nobody until the authority has given one, and begins to
	 * see to them.
	 * @throws InputError `config.invalid` when the folder cannot be written
	 */
	static async open(options: CertificateKeeperOptions): Promise<CertificateKeeper> {
		const { folder, identifiers, clock } = options;
		if ((await readCertificate(folder)) === null)
			await writeCertificate(folder, await createSelfSigned(identifiers, clock.now()));
		const keeper = new CertificateKeeper(options);
		keeper.#run = keeper.#keep();
		return keeper;
	}

	/** Stops an order that is under way, and waits. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#stop.abort(abortedError());
		await this.#run;
	}

	async #keep(): Promise<void> {
		const { signal } = this.#stop;
		while (!signal.aborted) {
			const waitMs = await this.#look(signal);
			// Ends the wait, not the loop's owner: the signal is the only reason for it to fail.
			await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
		}
	}

	/** Renews what is due. Returns how long to wait. Never fails: what is there serves on. */
	async #look(signal: AbortSignal): Promise<number> {
		const { folder, identifiers, clock, log } = this.#options;
		try {
			const certificate = await readCertificate(folder);
			if (certificate !== null && !isDue(certificate, identifiers, clock.now())) return LOOK_MS;
			await writeCertificate(folder, await this.#obtain(signal));
			this.#failures = 0;
			log.info({ names: identifiers.map(({ value }) => value) }, "The node has a new certificate");
			return LOOK_MS;
		} catch (error) {
			if (signal.aborted) return 0;
			const retryMs = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)] ?? LOOK_MS;
			const fields = error instanceof SluiceError ? { code: error.code, err: error } : { err: error };
			log.error(fields, `No certificate: tried again in ${retryMs / 60_000} min; what is there serves on`);
			return retryMs;
		}
	}

	async #obtain(signal: AbortSignal): Promise<Certificate> {
		const { directory, email, identifiers, address, folder, clock, log } = this.#options;
		await using challenges = await ChallengeServer.open({ address, clock, log });
		const client = await AcmeClient.open({ address: directory, accountKey: await openAccountKey(folder), signal });
		await client.openAccount(email);
		const show = (token: string, text: string) => challenges.show(token, text);
		return await obtainCertificate({ client, identifiers, show, clock, signal });
	}
}

/** Whether a certificate is to be replaced now: it is of nobody, for other names, or near its end. */
function isDue({ cert }: Certificate, identifiers: readonly AcmeIdentifier[], nowMs: number): boolean {
	const x509 = new X509Certificate(cert);
	if (x509.issuer === x509.subject && x509.verify(x509.publicKey)) return true;
	const holds = ({ type, value }: AcmeIdentifier) =>
		(type === "ip" ? x509.checkIP(value) : x509.checkHost(value)) !== undefined;
	if (!identifiers.every(holds)) return true;
	const beginMs = Date.parse(x509.validFrom);
	const endMs = Date.parse(x509.validTo);
	return nowMs > endMs - (endMs - beginMs) * RENEW_AT;
}

/** `null` when there is none, or it cannot be read as one. */
async function readCertificate(folder: string): Promise<Certificate | null> {
	const { keyFile, certFile } = certificateFiles(folder);
	const [key, cert] = [await readPrivateFile(keyFile), await readPrivateFile(certFile)];
	if (key === null || cert === null) return null;
	try {
		return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { key, cert } : null;
	} catch {
		// Half a file, or another's: a new one takes its place.
		return null;
	}
}

/** The key first: who reads in between finds a pair that does not fit, and reads again. */
async function writeCertificate(folder: string, { key, cert }: Certificate): Promise<void> {
	const { keyFile, certFile } = certificateFiles(folder);
	await replacePrivateFile(keyFile, key);
	await replacePrivateFile(certFile, cert);
}

async function openAccountKey(folder: string): Promise<JWK> {
	const file = path.join(folder, "account.json");
	const text = await readPrivateFile(file);
	if (text !== null) return JSON.parse(text) as JWK;
	const { privateKey } = await generateKeyPair("ES256", { extractable: true });
	const key = await exportJWK(privateKey);
	await replacePrivateFile(file, JSON.stringify(key));
	return key;
}
