/**
 * A client of the Automatic Certificate Management Environment, RFC 8555: requests that are signed with the key of an
 * account, and what they answer.
 */

import { calculateJwkThumbprint, FlattenedSign, importJWK, type JWK } from "jose";
import * as z from "zod";
import { jsonOrNull } from "#shared/json.ts";
import { ProtocolError } from "#shared/problem.ts";
import { responseText } from "../http/response-text.ts";

const REQUEST_TIMEOUT_MS = 30_000;
/** A chain of certificates has some kilobytes. */
const MAX_BODY_BYTES = 256 * 1024;
/** RFC 8555 §6.5: a nonce can be too old, and the answer brings a new one. */
const MAX_NONCE_RETRIES = 3;

const url = z.url({ protocol: /^https?$/ });
const directorySchema = z.object({
	newNonce: url,
	newAccount: url,
	newOrder: url,
	meta: z.object({ profiles: z.record(z.string(), z.string()).optional() }).optional(),
});
export type AcmeDirectory = z.infer<typeof directorySchema>;

const problemSchema = z.object({ type: z.string().max(200), detail: z.string().max(1000).default("") });

const identifierSchema = z.object({ type: z.string(), value: z.string().max(253) });
/** RFC 8555 §7.1.2; `ip`: RFC 8738. */
export type AcmeIdentifier = { readonly type: "dns" | "ip"; readonly value: string };

const orderSchema = z.object({
	status: z.enum(["pending", "ready", "processing", "valid", "invalid"]),
	authorizations: z.array(url).max(100),
	finalize: url,
	certificate: url.optional(),
	error: problemSchema.optional(),
});
export type AcmeOrder = z.infer<typeof orderSchema>;

const challengeSchema = z.object({
	type: z.string(),
	url,
	status: z.string(),
	/** RFC 8555 §8.3: base64url, at least 128 bits. */
	token: z
		.string()
		.regex(/^[A-Za-z0-9_-]{22,256}$/)
		.optional(),
	error: problemSchema.optional(),
});
const authorizationSchema = z.object({
	status: z.enum(["pending", "valid", "invalid", "deactivated", "expired", "revoked"]),
	identifier: identifierSchema,
	challenges: z.array(challengeSchema).max(20),
});
export type AcmeAuthorization = z.infer<typeof authorizationSchema>;

export type AcmeClientOptions = {
	/** Of the directory. */
	readonly address: string;
	/** Private, of ES256: the account's. */
	readonly accountKey: JWK;
	readonly signal: AbortSignal;
};

type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** One run with a certificate authority. Every method throws ProtocolError `acme.failed`. */
export class AcmeClient {
	readonly #options: AcmeClientOptions;
	readonly directory: AcmeDirectory;
	#account: string | null = null;
	#nonce: string | null = null;

	private constructor(options: AcmeClientOptions, directory: AcmeDirectory) {
		this.#options = options;
		this.directory = directory;
	}

	/** Reads the directory, §7.1.1. */
	static async open(options: AcmeClientOptions): Promise<AcmeClient> {
		const { status, text } = await send(options.address, { method: "GET" }, options.signal);
		if (status !== 200) throw failed(`its directory ${options.address} answers ${status}`);
		return new AcmeClient(options, parsed(directorySchema, text, "directory"));
	}

	/** Finds the account of the key, or makes it, §7.3. Agrees to the terms of service. */
	async openAccount(email: string): Promise<void> {
		const contact = email === "" ? {} : { contact: [`mailto:${email}`] };
		const { headers } = await this.#post(this.directory.newAccount, { termsOfServiceAgreed: true, ...contact });
		this.#account = headers.get("location");
		if (this.#account === null) throw failed("it named no account");
	}

	/** Orders a certificate, §7.4. `profile`: one of those that the directory names. */
	async order(
		identifiers: readonly AcmeIdentifier[],
		profile: string | null,
	): Promise<{ address: string; order: AcmeOrder }> {
		const payload = { identifiers, ...(profile === null ? {} : { profile }) };
		const { headers, text } = await this.#post(this.directory.newOrder, payload);
		const address = headers.get("location");
		if (address === null) throw failed("it named no order");
		return { address, order: parsed(orderSchema, text, "order") };
	}

	async readOrder(address: string): Promise<AcmeOrder> {
		return parsed(orderSchema, (await this.#post(address, null)).text, "order");
	}

	async readAuthorization(address: string): Promise<AcmeAuthorization> {
		return parsed(authorizationSchema, (await this.#post(address, null)).text, "authorization");
	}

	/** Says that a challenge can be looked at now, §7.5.1. */
	async answer(challenge: string): Promise<void> {
		await this.#post(challenge, {});
	}

	/** Sends the certificate signing request, in DER, §7.4. */
	async finalize(address: string, csr: Uint8Array): Promise<void> {
		await this.#post(address, { csr: Buffer.from(csr).toString("base64url") });
	}

	/** The chain in PEM, §7.4.2. */
	async certificate(address: string): Promise<string> {
		return (await this.#post(address, null)).text;
	}

	/** What stands at a challenge's address, §8.1. */
	async keyAuthorization(token: string): Promise<string> {
		return `${token}.${await calculateJwkThumbprint(this.#options.accountKey)}`;
	}

	/** `null` as payload: a request that only reads, §6.3. */
	async #post(address: string, payload: object | null): Promise<Answer> {
		for (let attempt = 1; ; attempt++) {
			const body = await this.#signed(address, payload);
			const headers = { "content-type": "application/jose+json", accept: "*/*" };
			const answer = await send(address, { method: "POST", headers, body }, this.#options.signal);
			this.#nonce = answer.headers.get("replay-nonce");
			if (answer.status < 400) return answer;
			const problem = problemSchema.safeParse(jsonOrNull(answer.text)).data;
			const isStale = problem?.type === "urn:ietf:params:acme:error:badNonce";
			if (!isStale || attempt > MAX_NONCE_RETRIES) throw failed(said(problem) ?? `it answers ${answer.status}`);
		}
	}

	/** RFC 8555 §6.2. */
	async #signed(address: string, payload: object | null): Promise<string> {
		const { accountKey, signal } = this.#options;
		if (this.#nonce === null) {
			const { headers } = await send(this.directory.newNonce, { method: "HEAD" }, signal);
			this.#nonce = headers.get("replay-nonce");
		}
		if (this.#nonce === null) throw failed("it gave no nonce");
		const { kty, crv, x, y } = accountKey;
		const signer = this.#account === null ? { jwk: { kty, crv, x, y } as JWK } : { kid: this.#account };
		const jws = await new FlattenedSign(new TextEncoder().encode(payload === null ? "" : JSON.stringify(payload)))
			.setProtectedHeader({ alg: "ES256", nonce: this.#nonce, url: address, ...signer })
			.sign(await importJWK(accountKey, "ES256"));
		this.#nonce = null;
		return JSON.stringify(jws);
	}
}

/** What a problem says, for a message; `null` for none. */
export function said(problem: z.infer<typeof problemSchema> | undefined): string | null {
	return problem === undefined ? null : `${problem.type.replace(/^.*:/, "")}: ${problem.detail}`;
}

export function failed(why: string, cause?: unknown): ProtocolError {
	return new ProtocolError("acme.failed", `The certificate authority gave no certificate: ${why}`, { cause });
}

async function send(address: string, init: RequestInit, stop: AbortSignal): Promise<Answer> {
	const signal = AbortSignal.any([stop, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
	try {
		const response = await fetch(address, { ...init, redirect: "error", signal });
		const text = await responseText(response, MAX_BODY_BYTES);
		if (text === null) throw failed(`its answer is larger than ${MAX_BODY_BYTES} bytes`);
		return { status: response.status, headers: response.headers, text };
	} catch (cause) {
		if (cause instanceof ProtocolError) throw cause;
		throw failed(`${address} cannot be reached`, cause);
	}
}

function parsed<T>(schema: z.ZodType<T>, text: string, what: string): T {
	const result = schema.safeParse(jsonOrNull(text));
	if (result.success) return result.data;
	throw failed(`its ${what} is not one of RFC 8555`, result.error);
}
