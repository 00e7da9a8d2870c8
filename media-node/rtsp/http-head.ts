/** As much of HTTP/1 as the tunnels of RTSP need: the head of a request, and answers of one sentence. Pure. */

import { STATUS_CODES } from "node:http";

/** A request with more in front of its body is refused. */
export const MAX_HTTP_HEAD_BYTES = 8 * 1024;

export type HttpHead = {
	readonly method: string;
	/** Names in lower case; of a name that stands twice, the first value. */
	readonly headers: ReadonlyMap<string, string>;
};

/** The length of the head with its empty line; `null` when that has not come. */
export function httpHeadLength(bytes: Uint8Array): number | null {
	for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
		if (bytes[at + 1] === 0x0a) return at + 2;
		if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
	}
	return null;
}

/** Reads a whole head (RFC 9112 §2.1); `null` when it is none. */
export function parseHttpHead(bytes: Uint8Array): HttpHead | null {
	const [first = "", ...lines] = new TextDecoder("latin1").decode(bytes).trimEnd().split(/\r?\n/);
	const method = /^([A-Z]+) \S+ HTTP\/1\.[01]$/.exec(first)?.[1];
	if (method === undefined) return null;
	const headers = new Map<string, string>();
	for (const line of lines) {
		const [, name, value] = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
		if (name === undefined || value === undefined) return null;
		if (!headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value);
	}
	return { method, headers };
}

/** An answer that refuses a request. */
export type Refusal = {
	readonly status: 400 | 404 | 426 | 503;
	/** For the person behind the client. */
	readonly sentence: string;
	readonly headers?: Readonly<Record<string, string>>;
};

/** The whole answer, behind which the connection ends. */
export function writeRefusal({ status, sentence, headers = {} }: Refusal): string {
	const body = `${sentence}\n`;
	return [
		`HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
		"Content-Type: text/plain; charset=utf-8",
		`Content-Length: ${Buffer.byteLength(body)}`,
		...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
		`Connection: ${"Upgrade" in headers ? "close, Upgrade" : "close"}`,
		"",
		body,
	].join("\r\n");
}
