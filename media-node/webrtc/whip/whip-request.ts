/** What a request over HTTP asks for, and what it shows of its client. Pure. */

import { isPathName, type PathName } from "#shared/path-name.ts";
import { ProtocolError } from "#shared/problem.ts";
import type { AccessRequest } from "../../access/access.ts";
import type { Endpoint } from "./whip-answer.ts";

export type Credentials = Pick<AccessRequest, "user" | "password" | "token">;

/** What an address stands for. */
export type Target =
	| { readonly kind: "endpoint"; readonly endpoint: Endpoint; readonly path: PathName }
	| { readonly kind: "session"; readonly endpoint: Endpoint; readonly path: PathName; readonly secret: string }
	| { readonly kind: "page"; readonly file: string; readonly path: PathName }
	/** `/{path}`: its page is one slash further. */
	| { readonly kind: "redirect"; readonly path: PathName };

const FILES: readonly string[] = ["player.js", "publisher.js", "connection.js", "style.css"];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What the path of a request stands for; `null` when it is nothing. Never throws. */
export function targetOf(urlPath: string): Target | null {
	const text = urlPath.slice(1);
	if (!urlPath.startsWith("/") || text === "favicon.ico") return null;
	const names = text.split("/");
	const last = names.pop() ?? "";
	const path = names.join("/");
	const before = names.pop() ?? "";
	const parent = names.join("/");
	if (isEndpoint(before) && UUID.test(last) && isPathName(parent)) {
		return { kind: "session", endpoint: before, path: parent, secret: last };
	}
	if (isPathName(path)) {
		if (isEndpoint(last)) return { kind: "endpoint", endpoint: last, path };
		if (last === "") return { kind: "page", file: "player.html", path };
		if (last === "publish") return { kind: "page", file: "publisher.html", path };
		if (FILES.includes(last)) return { kind: "page", file: last, path };
	}
	return isPathName(text) ? { kind: "redirect", path: text } : null;
}

function isEndpoint(text: string): text is Endpoint {
	return text === "whip" || text === "whep";
}

/** Media types are compared without their parameters and without regard to case, RFC 9110 §8.3.1. */
export function isMediaType(contentType: string, expected: string): boolean {
	return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase() === expected;
}

const MAX_IF_MATCH = 1_024;

/**
 * Says whether a header `If-Match` that is not empty names the entity tag, RFC 9110 §13.1.1. Weak tags never do. Clients
 * that leave the quotation marks away are understood.
 *
 * @throws ProtocolError `bytes.limit`
 */
export function matchesEntityTag(ifMatch: string, etag: string): boolean {
	if (ifMatch.length > MAX_IF_MATCH) {
		throw new ProtocolError("bytes.limit", `The header If-Match is longer than ${MAX_IF_MATCH} characters`);
	}
	return ifMatch.split(",").some((tag) => ["*", `"${etag}"`, etag, '"*"'].includes(tag.trim()));
}
