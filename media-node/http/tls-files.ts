import { readFile } from "node:fs/promises";
import https from "node:https";
import { InputError } from "#shared/problem.ts";

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
