/**
 * Stream keys: short secrets for encoders whose address has little room (an SRT stream id holds 512 characters, and many
 * RTMP cameras fewer). A key is for one action on one path; nothing is stored for it.
 *
 * `k` · 7 characters of expiry (base 36 seconds since 2020, or `0000000`) · 22 characters of HMAC-SHA256, cut to 128 bits:
 * 30 characters of the URL-safe alphabet.
 */

import { equalBytes } from "#shared/access/constant-time.ts";
import type { Action } from "#shared/access/permission.ts";
import type { Clock } from "#shared/clock.ts";
import { DeniedError } from "#shared/problem.ts";

export type StreamKeyUse = { readonly action: Extract<Action, "publish" | "read">; readonly path: string };

export const STREAM_KEY_LENGTH = 30;

const SHAPE = /^k[0-9a-z]{7}[A-Za-z0-9_-]{22}$/;
const EPOCH_S = Date.UTC(2020, 0, 1) / 1000;
const EXPIRY_DIGITS = 7;
const MAC_BYTES = 16;
const MIN_SECRET_BYTES = 16;

/** Says whether `text` has the form of a stream key. Never throws. */
export function isStreamKey(text: string): boolean {
	return SHAPE.test(text);
}

/** Makes a key with the first of `secrets` (base64url). `expiresMs`: milliseconds since the Unix epoch, or never. */
export async function issueStreamKey(
	secrets: readonly string[],
	use: StreamKeyUse,
	expiresMs: number | null,
): Promise<string> {
	const [secret] = secrets;
	if (secret === undefined) throw new TypeError("Cannot issue stream key: there is no secret");
	const seconds = expiresMs === null ? 0 : Math.max(1, Math.ceil(expiresMs / 1000) - EPOCH_S);
	const expiry = seconds.toString(36).padStart(EXPIRY_DIGITS, "0");
	if (expiry.length > EXPIRY_DIGITS) throw new RangeError(`Cannot issue stream key: ${expiresMs} is too far away`);
	return `k${expiry}${await macOf(secret, use, expiry)}`;
}

/**
 * Checks a key for one use, and says when it expires: milliseconds since the Unix epoch, or `null` for never.
 * @throws DeniedError `access.token_invalid`, `access.token_expired`
 */
export async function verifyStreamKey(
	secrets: readonly string[],
	key: string,
	use: StreamKeyUse,
	clock: Clock,
): Promise<number | null> {
	if (!isStreamKey(key)) throw invalid(use);
	const expiry = key.slice(1, 1 + EXPIRY_DIGITS);
	const shown = new TextEncoder().encode(key.slice(1 + EXPIRY_DIGITS));
	let isGood = false;
	for (const secret of secrets) {
		// Every secret is tried, so that the time does not tell which one it was.
		if (equalBytes(shown, new TextEncoder().encode(await macOf(secret, use, expiry)))) isGood = true;
	}
	if (!isGood) throw invalid(use);
	const seconds = Number.parseInt(expiry, 36);
	if (seconds === 0) return null;
	const expiresMs = (seconds + EPOCH_S) * 1000;
	if (expiresMs <= clock.now())
		throw new DeniedError("access.token_expired", "The stream key has expired. Ask for a new one");
	return expiresMs;
}

const imported = new Map<string, Promise<CryptoKey>>();

async function macOf(secret: string, { action, path }: StreamKeyUse, expiry: string): Promise<string> {
	let key = imported.get(secret);
	if (key === undefined) {
		key = crypto.subtle.importKey("raw", secretBytes(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
		imported.set(secret, key);
	}
	// No part can hold a NUL character, so no two uses give the same text.
	const text = new TextEncoder().encode(`sluice stream key 1\0${action}\0${path}\0${expiry}`);
	const mac = new Uint8Array(await crypto.subtle.sign("HMAC", await key, text));
	return base64url(mac.subarray(0, MAC_BYTES));
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
	const bytes = Uint8Array.from(atob(secret.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
	if (bytes.length < MIN_SECRET_BYTES)
		throw new RangeError(`A stream key secret needs at least ${MIN_SECRET_BYTES} bytes`);
	return bytes;
}

function base64url(bytes: Uint8Array): string {
	return btoa(String.fromCharCode(...bytes))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replaceAll("=", "");
}

function invalid({ action, path }: StreamKeyUse): DeniedError {
	return new DeniedError(
		"access.token_invalid",
		`The stream key does not allow to ${action} ${path}. Ask for a new one`,
	);
}
