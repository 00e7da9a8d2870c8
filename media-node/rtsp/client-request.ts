/** Requests of ours, RFC 2326 §6. Pure. */

import { MAX_URL_LENGTH } from "./rtsp-url.ts";

export const USER_AGENT = "Sluice";

export type ClientRequest = {
	readonly method: string;
	/** Without credentials. */
	readonly url: string;
	/** What the request has beside CSeq, User-Agent, Session and Authorization. */
	readonly headers?: Readonly<Record<string, string>> | undefined;
	readonly body?: string | undefined;
};

export type RequestContext = {
	/** From 1. */
	readonly cseq: number;
	/** The id that the server gave, without its parameters; `null` before the first SETUP. */
	readonly session: string | null;
	/** The value of the Authorization header; `null` without. */
	readonly authorization: string | null;
};

/**
 * Writes a request. Characters that could begin another line are replaced, wherever they come from: an id or a URL is
 * often what the server said itself.
 */
export function writeRequest(request: ClientRequest, { cseq, session, authorization }: RequestContext): Uint8Array {
	const body = Buffer.from(request.body ?? "", "utf8");
	const headers: Record<string, string> = { CSeq: String(cseq), "User-Agent": USER_AGENT };
	if (session !== null) headers["Session"] = session;
	if (authorization !== null) headers["Authorization"] = authorization;
	Object.assign(headers, request.headers);
	if (body.length > 0) headers["Content-Length"] = String(body.length);
	const url = request.url.slice(0, MAX_URL_LENGTH).replace(/[^\x21-\x7e]/g, "?");
	const lines = [
		`${request.method} ${url} RTSP/1.0`,
		...Object.entries(headers).map(([name, value]) => `${name}: ${value.replace(/[^\x20-\x7e]/g, "?")}`),
	];
	return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** The answer to a request that a server sends to us: it may ask whether we live, and nothing else. RFC 2326 §10. */
export function statusForServerRequest(method: string): 200 | 501 {
	return ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"].includes(method) ? 200 : 501;
}
