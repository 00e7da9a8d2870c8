/** Credentials in a configuration: plain text, `sha256:…` or `argon2:…`, as MediaMTX writes them. */

import { argon2, createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SHA256 = "sha256:";
const ARGON2 = "argon2:";

/** What a hash may ask for: beyond these a check would take seconds or the memory of a small machine. */
export const MAX_ARGON2_MEMORY_KIB = 256 * 1024;
export const MAX_ARGON2_PASSES = 16;
export const MAX_ARGON2_LANES = 16;
/** Nobody types more, and hashing it would take long. */
export const MAX_PASSWORD_LENGTH = 1024;

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane; some 50 ms. */
const NEW_HASH = { algorithm: "argon2id", memory: 19_456, passes: 2, parallelism: 1 } as const;
const NEW_SALT_BYTES = 16;
const NEW_TAG_BYTES = 32;

type Argon2Hash = {
	readonly algorithm: "argon2i" | "argon2id";
	/** KiB. */
	readonly memory: number;
	readonly passes: number;
	readonly parallelism: number;
	readonly nonce: Uint8Array;
	readonly tag: Uint8Array;
};

/** Makes the `argon2:…` form of a password, for a configuration. */
export async function hashPassword(plain: string): Promise<string> {
	const nonce = randomBytes(NEW_SALT_BYTES);
	const tag = await derive(plain, { ...NEW_HASH, nonce, tag: new Uint8Array(NEW_TAG_BYTES) });
	const { algorithm, memory, passes, parallelism } = NEW_HASH;
	return `${ARGON2}$${algorithm}$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}

/** What is wrong with a user name or password in a configuration, as the end of a sentence; `null` when nothing is. */
export function credentialFault(configured: string): string | null {
	if (configured.length > MAX_PASSWORD_LENGTH) return `is longer than ${MAX_PASSWORD_LENGTH} characters`;
	if (configured.startsWith(SHA256) && sha256Of(configured) === null) {
		return "is not sha256: and the base64 form of 32 bytes";
	}
	if (configured.startsWith(ARGON2) && argon2Of(configured) === null) {
		return (
			"is not argon2: and a hash such as $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH " +
			`(m up to ${MAX_ARGON2_MEMORY_KIB}, t up to ${MAX_ARGON2_PASSES}, p up to ${MAX_ARGON2_LANES})`
		);
	}
	return null;
}

/** Says whether checking against this takes a thread and milliseconds, not microseconds. */
export function isSlowCredential(configured: string): boolean {
	return configured.startsWith(ARGON2);
}

/**
 * Says whether what a client showed is what is configured, in a time that does not depend on where they differ. A
 * configured text that {@link credentialFault} complains about matches nothing.
 */
export async function matchesCredential(configured: string, shown: string): Promise<boolean> {
	if (shown.length > MAX_PASSWORD_LENGTH) return false;
	if (configured.startsWith(ARGON2)) {
		const hash = argon2Of(configured);
		return hash !== null && timingSafeEqual(await derive(shown, hash), hash.tag);
	}
	if (configured.startsWith(SHA256)) {
		const digest = sha256Of(configured);
		return digest !== null && timingSafeEqual(sha256(shown), digest);
	}
	return timingSafeEqual(sha256(shown), sha256(configured));
}

function sha256(text: string): Uint8Array {
	return createHash("sha256").update(text).digest();
}

function sha256Of(configured: string): Uint8Array | null {
	const digest = bytesOf(configured.slice(SHA256.length));
	return digest?.length === 32 ? digest : null;
}

/** Reads the PHC string format, https://github.com/P-H-C/phc-string-format, as Argon2 uses it. */
function argon2Of(configured: string): Argon2Hash | null {
	const match =
		/^\$(argon2id?)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([0-9A-Za-z+/]+)\$([0-9A-Za-z+/]+)$/.exec(
			configured.slice(ARGON2.length),
		) ?? null;
	if (match === null) return null;
	const [memory, passes, parallelism] = [Number(match[2]), Number(match[3]), Number(match[4])];
	const nonce = bytesOf(match[5] ?? "");
	const tag = bytesOf(match[6] ?? "");
	if (memory > MAX_ARGON2_MEMORY_KIB || passes < 1 || passes > MAX_ARGON2_PASSES) return null;
	if (parallelism < 1 || parallelism > MAX_ARGON2_LANES || memory < 8 * parallelism) return null;
	if (nonce === null || nonce.length < 8 || nonce.length > 64 || tag === null || tag.length < 16 || tag.length > 64) {
		return null;
	}
	return { algorithm: match[1] as Argon2Hash["algorithm"], memory, passes, parallelism, nonce, tag };
}

/** Runs in Node's thread pool: the event loop goes on meanwhile. */
function derive(plain: string, hash: Argon2Hash): Promise<Uint8Array> {
	const { algorithm, memory, passes, parallelism, nonce } = hash;
	const parameters = { message: plain, nonce, parallelism, tagLength: hash.tag.length, memory, passes };
	return new Promise((resolve, reject) => {
		argon2(algorithm, parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)));
	});
}

/** Without padding, as PHC strings have it. */
function base64(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

/** The bytes of a text in base64, with or without padding; `null` if it is none. */
function bytesOf(text: string): Uint8Array | null {
	return /^[0-9A-Za-z+/]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : null;
}
