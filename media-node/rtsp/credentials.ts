import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { ProtocolError } from "#shared/problem.ts";
import type { AccessRequest } from "../access/access.ts";
import type { Headers } from "./message.ts";
import type { RtspUrl } from "./rtsp-url.ts";

export type Credentials = Pick<AccessRequest, "user" | "password" | "token"> & Partial<Pick<AccessRequest, "proof">>;
export type AuthMethodName = "basic" | "digest";

const MAX_LENGTH = 8 * 1024;
const REALM = "sluice";
const ALGORITHMS: Readonly<Record<string, string>> = { MD5: "md5", "SHA-256": "sha256" };

/** What one connection asks its client for, and how it understands what the client shows. RFC 2617, RFC 7616. */
export class Challenge {
	readonly #methods: readonly AuthMethodName[];
	readonly #nonce = randomBytes(16).toString("hex");

	constructor(methods: readonly AuthMethodName[]) {
		this.#methods = methods;
	}

	/** The WWW-Authenticate headers of a 401, the best method first. */
	get headers(): string[] {
		const digest = Object.keys(ALGORITHMS)
			.reverse()
			.map((name) => `Digest realm="${REALM}", nonce="${this.#nonce}", algorithm="${name}"`);
		return [
			...(this.#methods.includes("digest") ? digest : []),
			...(this.#methods.includes("basic") ? [`Basic realm="${REALM}"`] : []),
		];
	}

	/**
	 * What a request shows of its sender: authorization, a token in the query, or a user in the URL.
	 * @throws ProtocolError `rtsp.malformed`
	 */
	credentialsOf(method: string, headers: Headers, url: RtspUrl): Credentials {
		const token = url.query.get("token") ?? url.query.get("jwt") ?? "";
		const header = headers.get("authorization") ?? "";
		if (header.length > MAX_LENGTH) throw new ProtocolError("rtsp.malformed", "The Authorization header is too long");
		const [, scheme = "", value = ""] = /^(\S*) *(.*)$/s.exec(header) ?? [];
		switch (scheme.toLowerCase()) {
			case "":
				return { user: url.user, password: url.password, token };
			case "bearer":
				return bearerOf(value);
			case "basic": {
				const text = Buffer.from(value, "base64").toString("utf8");
				const colon = text.indexOf(":");
				if (colon === -1) throw new ProtocolError("rtsp.malformed", "The Basic authorization has no colon");
				// A server that asks for digest only does so for clients that would show their password otherwise.
				if (!this.#methods.includes("basic")) return { user: "", password: "", token };
				return { user: text.slice(0, colon), password: text.slice(colon + 1), token };
			}
			case "digest":
				return this.#digestOf(method, value, token);
			default:
				throw new ProtocolError(
					"rtsp.malformed",
					"The Authorization scheme is not supported: use Basic, Digest or Bearer",
				);
		}
	}

	#digestOf(method: string, text: string, token: string): Credentials {
		const fields = new Map<string, string>();
		for (const match of text.matchAll(/(\w+) *= *(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))/g)) {
			fields.set((match[1] ?? "").toLowerCase(), match[2]?.replaceAll(/\\(.)/g, "$1") ?? match[3] ?? "");
		}
		const field = (name: string) => fields.get(name) ?? "";
		const hash = ALGORITHMS[field("algorithm").toUpperCase() || "MD5"];
		const isOurs = field("nonce") === this.#nonce && field("realm") === REALM;
		if (!this.#methods.includes("digest") || hash === undefined || !isOurs) return { user: "", password: "", token };
		const digest = (parts: string) => createHash(hash).update(parts).digest("hex");
		const qop = field("qop") === "" ? [] : [field("nc"), field("cnonce"), field("qop")];
		const shown = Buffer.from(field("response").toLowerCase());
		return {
			user: field("username"),
			password: "",
			token,
			proof: (user, password) => {
				if (user !== field("username")) return false;
				const secret = digest(`${user}:${REALM}:${password}`);
				const expected = Buffer.from(
					digest([secret, this.#nonce, ...qop, digest(`${method}:${field("uri")}`)].join(":")),
				);
				return expected.length === shown.length && timingSafeEqual(expected, shown);
			},
		};
	}
}

/** OBS sends `user:password` as a bearer token, as it does to MediaMTX. */
function bearerOf(value: string): Credentials {
	const colon = value.indexOf(":");
	if (colon === -1) return { user: "", password: "", token: value };
	return { user: value.slice(0, colon), password: value.slice(colon + 1), token: "" };
}
