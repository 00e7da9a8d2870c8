import { readFile } from "node:fs/promises";
import https from "node:https";
import type { Clock } from "#shared/clock.ts";
import { InputError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";

/** How often the files of a certificate are looked at. */
const CERTIFICATE_INTERVAL_MS = 10_000;

export type TlsFiles = { readonly keyFile: string; readonly certFile: string };
export type Certificate = { readonly key: string; readonly cert: string };

/** Reads a key and its certificate. `prefix`: how their settings begin. @throws InputError `config.invalid` */
export async function readCertificate({ keyFile, certFile }: TlsFiles, prefix: string): Promise<Certificate> {
	const read = (file: string, key: string) =>
		readFile(file, "utf8").catch((cause: unknown) => {
			throw new InputError("config.invalid", `The file ${file} (${key}) cannot be read: ${reason(cause)}`, { cause });
		});
	return { key: await read(keyFile, `${prefix}ServerKey`), cert: await read(certFile, `${prefix}ServerCert`) };
}

export type CertificateWatch = {
	readonly files: TlsFiles;
	readonly prefix: string;
	/** What the files held when they were last read. */
	readonly certificate: Certificate;
	/** Takes what they hold since then. @throws when it cannot be used */
	readonly replace: (certificate: Certificate) => void;
	readonly clock: Clock;
	readonly log: Logger;
};

/** Looks at the files every {@link CERTIFICATE_INTERVAL_MS}. What cannot be used is logged, and the old one stays. */
export function watchCertificate({ files, prefix, certificate, replace, clock, log }: CertificateWatch): Disposable {
	let current = certificate;
	const follow = async () => {
		const next = await readCertificate(files, prefix);
		if (next.key === current.key && next.cert === current.cert) return;
		replace(next);
		current = next;
		log.info(`The certificate of ${prefix}Address was replaced`);
	};
	return clock.every(CERTIFICATE_INTERVAL_MS, () => {
		follow().catch((error: unknown) => {
			log.error({ err: error }, `The certificate of ${prefix}Address cannot be read: the old one stays`);
		});
	});
}

/** Makes an HTTPS server of it. @throws InputError `config.invalid` */
export function createHttpsServer(
	certificate: Certificate,
	{ keyFile, certFile }: TlsFiles,
	prefix: string,
	options: https.ServerOptions,
): https.Server {
	try {
		return https.createServer({ ...options, ...certificate });
	} catch (cause) {
		const message = `${keyFile} (${prefix}ServerKey) and ${certFile} (${prefix}ServerCert) are no key and its certificate: ${reason(cause)}`;
		throw new InputError("config.invalid", message, { cause });
	}
}

function reason(cause: unknown): string {
	return cause instanceof Error ? cause.message : String(cause);
}
