/**
 * Signatures of webhooks, as Standard Webhooks 1.0.0 has them: HMAC-SHA256 (`v1`) of `id.timestamp.body`.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

import { equalBytes } from "#shared/access/constant-time.ts";

const PREFIX = "whsec_";
/** The specification asks for 24 to 64. */
const SECRET_BYTES = 32;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
/** How far a timestamp may be from now, either way. */
export const TOLERANCE_S = 300;
const MAX_SIGNATURES = 16;

export type WebhookHeaders = {
	readonly "webhook-id": string;
	/** Of this attempt, in seconds since the Unix epoch. */
	readonly "webhook-timestamp": string;
	/** One for each secret, so that a receiver may know the old or the new one. */
	readonly "webhook-signature": string;
};

/** Makes a secret: `whsec_` and 32 bytes in base64. */
export function generateWebhookSecret(): string {
	return PREFIX + base64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

/** Signs `body` with each of `secrets`. */
export async function signWebhook(
	id: string,
	atMs: number,
	body: string,
	secrets: readonly string[],
): Promise<WebhookHeaders> {
	const timestamp = String(Math.floor(atMs / 1000));
	const signatures = await Promise.all(
		secrets.map(async (secret) => `v1,${base64(await macOf(secret, id, timestamp, body))}`),
	);
	return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

/** Says whether one of the signatures is right for one of `secrets`, and fresh. Never throws on what a stranger sent. */
export async function isSignedWebhook(
	headers: WebhookHeaders,
	body: string,
	secrets: readonly string[],
	nowMs: number,
): Promise<boolean> {
	const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
	if (!/^\d{1,12}$/.test(timestamp) || Math.abs(Number(timestamp) - nowMs / 1000) > TOLERANCE_S) return false;
	const shown = headers["webhook-signature"].split(" ", MAX_SIGNATURES).map((text) => new TextEncoder().encode(text));
	let isGood = false;
	for (const secret of secrets) {
		const right = new TextEncoder().encode(`v1,${base64(await macOf(secret, id, timestamp, body))}`);
		for (const signature of shown) if (equalBytes(signature, right)) isGood = true;
	}
	return isGood;
}

async function macOf(secret: string, id: string, timestamp: string, body: string): Promise<Uint8Array> {
	const key = await crypto.subtle.importKey("raw", secretBytes(secret), { name: "HMAC", hash: "SHA-256" }, false, [
		"sign",
	]);
	return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${id}.${timestamp}.${body}`)));
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
	const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
	const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	if (bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES) {
		throw new RangeError(
			`A webhook secret has ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes; this one has ${bytes.length}`,
		);
	}
	return bytes;
}

function base64(bytes: Uint8Array): string {
	return btoa(String.fromCharCode(...bytes));
}
