/** What a client answers to a 401: Basic (RFC 7617) and Digest (RFC 2617, RFC 7616). Pure, but for the random nonces. */

import { createHash, randomBytes } from "node:crypto";

const MAX_HEADER_LENGTH = 8 * 1024;
const MAX_CHALLENGES = 8;

/** By strength: the first that a server offers is taken. RFC 7616 §3.2 has SHA-256 before MD5. */
const ALGORITHMS = ["SHA-256", "SHA-256-sess", "MD5", "MD5-sess"] as const;
type Algorithm = (typeof ALGORITHMS)[number];

export type DigestChallenge = {
	readonly scheme: "digest";
	readonly realm: string;
	readonly nonce: string;
	readonly opaque: string | null;
	readonly algorithm: Algorithm;
	/** The server named the algorithm, so the answer names it, too. */
	readonly isNamed: boolean;
	/** `null`: the server is one of RFC 2069, without a count of uses. */
	readonly qop: "auth" | null;
	/** The nonce had been used up; the credentials may well be right. */
	readonly stale: boolean;
};

export type Challenge = { readonly scheme: "basic"; readonly realm: string } | DigestChallenge;

/** `name=value`, `name="value"`, or the name of a scheme. */
const ITEM = /[\s,]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*)))?/y;

/**
 * The challenges of a WWW-Authenticate header that can be answered, the best one first. Several headers may be joined by
 * commas. RFC 7235 §4.1. Never throws.
 */
export function parseChallenges(header: string): Challenge[] {
	const text = header.slice(0, MAX_HEADER_LENGTH);
	const found: { readonly scheme: string; readonly values: Map<string, string> }[] = [];
	ITEM.lastIndex = 0;
	for (let match = ITEM.exec(text); match !== null; match = ITEM.exec(text)) {
		const name = (match[1] ?? "").toLowerCase();
		const value = match[2]?.replace(/\\(.)/g, "$1") ?? match[3]?.trim();
		if (value !== undefined) found.at(-1)?.values.set(name, value);
		else if (found.length < MAX_CHALLENGES) found.push({ scheme: name, values: new Map() });
	}
	return found
		.map(({ scheme, values }) => challengeOf(scheme, values))
		.filter((challenge) => challenge !== null)
		.sort((a, b) => rankOf(a) - rankOf(b));
}

function challengeOf(scheme: string, values: ReadonlyMap<string, string>): Challenge | null {
	const realm = values.get("realm") ?? "";
	if (scheme === "basic") return { scheme, realm };
	const nonce = values.get("nonce");
	if (scheme !== "digest" || nonce === undefined) return null;
	const name = values.get("algorithm") ?? "";
	const algorithm = ALGORITHMS.find((known) => known.toLowerCase() === (name || "MD5").toLowerCase());
	const qops =
		values
			.get("qop")
			?.toLowerCase()
			.split(/[\s,]+/) ?? [];
	const isAuth = qops.includes("auth");
	// Of what only has auth-int, nothing can be answered.
	if (algorithm === undefined || (!isAuth && qops.some((qop) => qop !== ""))) return null;
	return {
		scheme,
		realm,
		nonce,
		opaque: values.get("opaque") ?? null,
		algorithm,
		isNamed: name !== "",
		qop: isAuth ? "auth" : null,
		stale: values.get("stale")?.toLowerCase() === "true",
	};
}

function rankOf(challenge: Challenge): number {
	return challenge.scheme === "basic" ? ALGORITHMS.length : ALGORITHMS.indexOf(challenge.algorithm);
}

export type User = { readonly user: string; readonly password: string };

export type DigestUse = {
	readonly method: string;
	/** As it stands in the request line. */
	readonly uri: string;
	/** How often the nonce is used with this request, from 1. */
	readonly count: number;
	readonly cnonce: string;
};

/** The Authorization header that answers a Digest challenge. RFC 7616 §3.4. */
export function answerDigest(challenge: DigestChallenge, { user, password }: User, use: DigestUse): string {
	const { realm, nonce, opaque, algorithm, isNamed, qop } = challenge;
	const { method, uri, count, cnonce } = use;
	const hash = (text: string) =>
		createHash(algorithm.startsWith("SHA") ? "sha256" : "md5")
			.update(text, "utf8")
			.digest("hex");
	const isSession = algorithm.endsWith("-sess");
	const secret = hash(`${user}:${realm}:${password}`);
	const a1 = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
	const a2 = hash(`${method}:${uri}`);
	const nc = count.toString(16).padStart(8, "0");
	const response = hash(qop === null ? `${a1}:${nonce}:${a2}` : `${a1}:${nonce}:${nc}:${cnonce}:${qop}:${a2}`);
	const parts = [
		`username=${quoted(user)}`,
		`realm=${quoted(realm)}`,
		`nonce=${quoted(nonce)}`,
		`uri=${quoted(uri)}`,
		`response="${response}"`,
	];
	if (isNamed) parts.push(`algorithm=${algorithm}`);
	if (opaque !== null) parts.push(`opaque=${quoted(opaque)}`);
	if (qop !== null) parts.push(`qop=${qop}`, `nc=${nc}`);
	if (qop !== null || isSession) parts.push(`cnonce=${quoted(cnonce)}`);
	return `Digest ${parts.join(", ")}`;
}

/** The Authorization header of Basic. */
export function answerBasic({ user, password }: User): string {
	return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
}

function quoted(text: string): string {
	return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The credentials for one server, and what it asked for last. */
export class ClientAuth {
	readonly #user: User;
	readonly #newCnonce: () => string;
	#challenge: Challenge | null = null;
	#count = 0;

	constructor(user: User, newCnonce: () => string = () => randomBytes(12).toString("hex")) {
		this.#user = user;
		this.#newCnonce = newCnonce;
	}

	/** There is somebody to be. */
	get hasUser(): boolean {
		return this.#user.user !== "" || this.#user.password !== "";
	}

	/**
	 * Takes what a 401 says in its WWW-Authenticate header.
	 * @returns `unknown` when nothing of it can be answered; `stale` when the credentials were not what was wrong
	 */
	challenged(header: string): "new" | "stale" | "unknown" {
		const best = parseChallenges(header)[0];
		if (best === undefined) return "unknown";
		if (!(best.scheme === "digest" && this.#challenge?.scheme === "digest" && best.nonce === this.#challenge.nonce))
			this.#count = 0;
		this.#challenge = best;
		return best.scheme === "digest" && best.stale ? "stale" : "new";
	}

	/** The Authorization header of the next request; `null` while the server has not asked for one. */
	authorization(method: string, uri: string): string | null {
		if (this.#challenge === null || !this.hasUser) return null;
		if (this.#challenge.scheme === "basic") return answerBasic(this.#user);
		this.#count++;
		return answerDigest(this.#challenge, this.#user, { method, uri, count: this.#count, cnonce: this.#newCnonce() });
	}
}
