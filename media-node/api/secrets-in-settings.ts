/** Secrets in settings: hidden from who reads them over the API, and put back when they come back hidden. Pure. */

import { SECRET_PARAMETERS } from "#shared/config/source.ts";
import { InputError } from "#shared/problem.ts";

/** What stands for a secret, as in MediaMTX. */
export const REDACTED = "<redacted>";

/** Keys whose whole value is secret. */
const SECRET_KEY = /^pass$|password|passphrase|token|secret/i;
/** Addresses, also within the command of a hook. */
const URL_TEXT = /[a-z][\w+.-]{0,31}:\/\/[^\s"'|]+/gi;
const SECRET_PARAMETER = new RegExp(`^(?:${SECRET_PARAMETERS})$`, "i");
/** As some cameras have it: `/user=admin&password=x&channel=1`. */
const SECRET_IN_PATH = new RegExp(`(?<![a-z0-9])(${SECRET_PARAMETERS})=([^&]+)`, "gi");

type Json = unknown;
type Step = string | number;
/** A secret within a text: what it is, and where. */
type Slot = { readonly what: string; readonly start: number; readonly end: number };

/** The same settings without their secrets. */
export function redacted<T>(value: T): T {
	return map(value, "", (text, key) => (SECRET_KEY.test(key) ? REDACTED : hide(text))) as T;
}

/**
 * Puts the secrets of `before` where `next` says {@link REDACTED}. Entries of lists are told by their user, URL or
 * destination, and by their place where they have none.
 * @throws InputError `config.invalid`: there is no secret to put there
 */
export function withSecretsOf(next: Json, before: Json, path: readonly Step[] = []): Json {
	if (typeof next === "string") return next.includes(REDACTED) ? restored(next, before, path) : next;
	if (Array.isArray(next)) {
		const old = Array.isArray(before) ? before : [];
		return next.map((item, i) => withSecretsOf(item, counterpart(item, i, old), [...path, i]));
	}
	if (!isMap(next)) return next;
	const old = isMap(before) ? before : {};
	return Object.fromEntries(
		Object.entries(next).map(([key, inner]) => [
			key,
			withSecretsOf(inner, Object.hasOwn(old, key) ? old[key] : undefined, [...path, key]),
		]),
	);
}

function restored(next: string, before: Json, path: readonly Step[]): string {
	const key = path.findLast((step) => typeof step === "string") ?? "";
	if (typeof before === "string") {
		if (SECRET_KEY.test(String(key))) {
			if (next === REDACTED && before !== "") return before;
		} else {
			const old = new Map(slotsOf(before).map(({ what, start, end }) => [what, before.slice(start, end)]));
			const filled = replaceSlots(next, (hidden, what) => (hidden === REDACTED ? (old.get(what) ?? hidden) : hidden));
			if (!filled.includes(REDACTED) || before.includes(REDACTED)) return filled;
		}
	}
	const message = `${path.join(".")}: holds ${REDACTED}, and there is no secret to put in its place; write it out`;
	throw new InputError("config.invalid", message, { data: { path } });
}

/** The old entry that a new one stands for. */
function counterpart(item: Json, index: number, old: readonly Json[]): Json {
	const name = nameOf(item);
	if (name === null) return old[index];
	if (nameOf(old[index]) === name) return old[index];
	return old.find((entry) => nameOf(entry) === name);
}

function nameOf(entry: Json): string | null {
	if (typeof entry === "string") return hide(entry);
	if (!isMap(entry)) return null;
	const name = entry["user"] ?? entry["dest"] ?? entry["url"];
	return typeof name === "string" ? hide(name) : null;
}

function hide(text: string): string {
	return replaceSlots(text, () => REDACTED);
}

function replaceSlots(text: string, change: (secret: string, what: string) => string): string {
	let out = "";
	let at = 0;
	for (const { what, start, end } of slotsOf(text)) {
		out += text.slice(at, start) + change(text.slice(start, end), what);
		at = end;
	}
	return out + text.slice(at);
}

/** The secrets of every URL in a text, in order. */
function slotsOf(text: string): Slot[] {
	if (!text.includes("://")) return [];
	return [...text.matchAll(URL_TEXT)].flatMap(({ 0: url, index }, i) =>
		slotsOfUrl(url).map(({ what, start, end }) => ({
			what: `${i} ${what}`,
			start: index + start,
			end: index + end,
		})),
	);
}

function slotsOfUrl(url: string): Slot[] {
	const slots: Slot[] = [];
	const authority = url.indexOf("://") + "://".length;
	const path = authority + url.slice(authority).search(/[/?#]|$/);
	const at = url.slice(authority, path).lastIndexOf("@");
	if (at > 0) {
		const user = url.slice(authority, authority + at);
		const colon = user.indexOf(":");
		// What has no password may be a token.
		if (colon + 1 < at) slots.push({ what: "user", start: authority + colon + 1, end: authority + at });
	}
	const hash = url.indexOf("#", path);
	const end = hash === -1 ? url.length : hash;
	const mark = url.slice(0, end).indexOf("?", path);
	for (const { 0: pair, 1: name, 2: value = "", index } of url
		.slice(path, mark === -1 ? end : mark)
		.matchAll(SECRET_IN_PATH)) {
		const last = path + index + pair.length;
		slots.push({ what: `/${name}`, start: last - value.length, end: last });
	}
	for (const { 0: pair, index } of mark === -1 ? [] : url.slice(mark + 1, end).matchAll(/[^&]+/g)) {
		const equals = pair.indexOf("=");
		const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
		if (equals < 1 || value === "" || !isSecret(name, value)) continue;
		const start = mark + 1 + index + equals + 1;
		slots.push({ what: `?${name}`, start, end: start + value.length });
	}
	// The stream key of RTMP.
	if (hash !== -1 && hash + 1 < url.length) slots.push({ what: "#", start: hash + 1, end: url.length });
	return slots;
}

/** The stream ID of SRT may hold a user and a password: `action:path:user:pass`, or `#!::…,s=pass`. */
function isSecret(name: string, value: string): boolean {
	if (SECRET_PARAMETER.test(name) || value === REDACTED) return true;
	if (name !== "streamid") return false;
	return value.split(":").length >= 4 || /(?:^|[,:])s=/.test(value);
}

function map(value: Json, key: string, change: (text: string, key: string) => string): Json {
	if (typeof value === "string") return value === "" ? "" : change(value, key);
	if (Array.isArray(value)) return value.map((item) => map(item, key, change));
	if (!isMap(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, map(inner, name, change)]));
}

function isMap(value: Json): value is Record<string, Json> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
