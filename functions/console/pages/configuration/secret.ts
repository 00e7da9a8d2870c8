/** Secrets in settings: passwords in URLs, passphrases and bearer tokens. They are shown when somebody asks. */

import { SECRET_PARAMETERS } from "#shared/config/source.ts";

const MASK = "••••••";

const SECRET_KEYS: ReadonlySet<string> = new Set([
	"srtReadPassphrase",
	"srtPublishPassphrase",
	"whepBearerToken",
	"whipBearerToken",
]);

/** Userinfo of RFC 3986 §3.2.1 with a password; the last @ before the path counts, as people forget to encode it. */
const PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^/?#:@]*:)([^/?#]+)(@[^@/?#]*(?:[/?#].*)?)$/is;
/** In a query, or in the path, where some cameras have them: `/user=admin&password=x&channel=1`. */
const PARAMETER = new RegExp(`((?<![a-z0-9])(?:${SECRET_PARAMETERS})=)([^&#]+)`, "gi");

/** `text` without what is secret in it; the very same if nothing is. */
export function maskedText(key: string, text: string): string {
	if (text === "") return text;
	if (SECRET_KEYS.has(key)) return MASK;
	return text.replace(PASSWORD, `$1${MASK}$3`).replace(PARAMETER, `$1${MASK}`);
}

/** A value with its secrets masked, however deep they are. */
export function masked<T>(key: string, value: T): T {
	return maskedValue(key, value) as T;
}

function maskedValue(key: string, value: unknown): unknown {
	if (typeof value === "string") return maskedText(key, value);
	if (Array.isArray(value)) return value.map((item) => maskedValue(key, item));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, maskedValue(member, inner)]));
}

/** Whether there is something to mask. */
export function hasSecret(key: string, value: unknown): boolean {
	return JSON.stringify(maskedValue(key, value)) !== JSON.stringify(value);
}
