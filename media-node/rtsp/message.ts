/** RTSP messages: RFC 2326 §4 to §7, and the parts of RFC 7826 that clients mix in. Pure. */

import { ProtocolError } from "#shared/problem.ts";

export const MAX_HEAD_BYTES = 16 * 1024;
export const MAX_BODY_BYTES = 64 * 1024;
export const MAX_HEADERS = 64;

/** Names are in lower case; a name that stands twice has both values, joined by a comma. */
export type Headers = ReadonlyMap<string, string>;

export type RtspRequest = {
	/** In capitals. */
	readonly method: string;
	/** As it was sent. */
	readonly url: string;
	readonly headers: Headers;
	readonly body: string;
};

export type RtspResponse = {
	readonly status: number;
	readonly reason?: string | undefined;
	/** Of a list, each is a line of its own. */
	readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
	readonly body?: string | undefined;
};

/** A response that came. */
export type RtspResponseMessage = {
	readonly status: number;
	readonly headers: Headers;
	readonly body: string;
};

/** A message without its body: what stands before the empty line. */
export type Head =
	| { readonly kind: "request"; readonly method: string; readonly url: string; readonly headers: Headers }
	| { readonly kind: "response"; readonly status: number; readonly headers: Headers };

const REQUEST_LINE = /^([A-Za-z_]{1,32}) +(\S+) +RTSP\/\d\.\d$/;
const STATUS_LINE = /^RTSP\/\d\.\d +(\d{3})(?: .*)?$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;

/**
 * Parses a message's first line and headers. Lines may end with a bare line feed.
 * @throws ProtocolError `rtsp.malformed`
 */
export function parseHead(text: string): Head {
	const [first = "", ...rest] = text.split(/\r?\n/);
	const headers = parseHeaders(rest);
	const request = REQUEST_LINE.exec(first);
	if (request !== null)
		return { kind: "request", method: (request[1] ?? "").toUpperCase(), url: request[2] ?? "", headers };
	const status = STATUS_LINE.exec(first);
	if (status !== null) return { kind: "response", status: Number(status[1]), headers };
	throw new ProtocolError("rtsp.malformed", "The first line is neither an RTSP request nor an RTSP response");
}

function parseHeaders(lines: readonly string[]): Headers {
	const headers = new Map<string, string>();
	let last: string | null = null;
	for (const line of lines) {
		if (line === "") continue;
		if (/^[ \t]/.test(line) && last !== null) {
			headers.set(last, `${headers.get(last)} ${line.trim()}`);
			continue;
		}
		const colon = line.indexOf(":");
		const name = line.slice(0, Math.max(0, colon)).trimEnd().toLowerCase();
		if (!HEADER_NAME.test(name))
			throw new ProtocolError("rtsp.malformed", "A header line has no valid name before its colon");
		if (headers.size >= MAX_HEADERS && !headers.has(name)) {
			throw new ProtocolError("rtsp.malformed", `The message has more than ${MAX_HEADERS} headers`);
		}
		const value = line.slice(colon + 1).trim();
		const before = headers.get(name);
		headers.set(name, before === undefined ? value : `${before}, ${value}`);
		last = name;
	}
	return headers;
}

/** The length of the body that follows. @throws ProtocolError `rtsp.malformed`, `bytes.limit` */
export function bodyLength(headers: Headers): number {
	const text = headers.get("content-length");
	if (text === undefined) return 0;
	if (!/^\d{1,9}$/.test(text)) throw new ProtocolError("rtsp.malformed", "The Content-Length is not a number");
	const length = Number(text);
	if (length > MAX_BODY_BYTES) {
		throw new ProtocolError("bytes.limit", `The body has ${length} bytes; at most ${MAX_BODY_BYTES} are taken`);
	}
	return length;
}

/** The reason phrases of RFC 2326 §7.1.1. */
const REASONS: Readonly<Record<number, string>> = {
	200: "OK",
	302: "Moved Temporarily",
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	404: "Not Found",
	405: "Method Not Allowed",
	408: "Request Time-out",
	413: "Request Entity Too Large",
	415: "Unsupported Media Type",
	451: "Parameter Not Understood",
	453: "Not Enough Bandwidth",
	454: "Session Not Found",
	455: "Method Not Valid in This State",
	457: "Invalid Range",
	459: "Aggregate Operation Not Allowed",
	461: "Unsupported Transport",
	500: "Internal Server Error",
	501: "Not Implemented",
	503: "Service Unavailable",
	505: "RTSP Version Not Supported",
	551: "Option Not Supported",
};

/** Longer reason phrases are of no use to anybody. */
const MAX_REASON_LENGTH = 200;

/** Writes a response. Characters that could begin another line are replaced, wherever they come from. */
export function writeResponse(response: RtspResponse): Uint8Array {
	const reason = (response.reason ?? REASONS[response.status] ?? "Error").slice(0, MAX_REASON_LENGTH);
	const body = new TextEncoder().encode(response.body ?? "");
	const headers = { ...response.headers, ...(body.length > 0 ? { "Content-Length": String(body.length) } : {}) };
	const lines = [
		`RTSP/1.0 ${response.status} ${reason}`,
		...Object.entries(headers).flatMap(([name, value]) => [value].flat().map((text) => `${name}: ${text}`)),
	];
	const head = new TextEncoder().encode(`${lines.map(oneLine).join("\r\n")}\r\n\r\n`);
	const bytes = new Uint8Array(head.length + body.length);
	bytes.set(head);
	bytes.set(body, head.length);
	return bytes;
}

function oneLine(text: string): string {
	return text.replace(/[^\x20-\x7e]/g, "?");
}
