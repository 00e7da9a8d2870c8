import { describe, expect, it } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_HEADERS, type RtspRequest, writeResponse } from "./message.ts";
import { RtspParser } from "./parser.ts";

type Item =
	| { request: Pick<RtspRequest, "method" | "url" | "body"> & { headers: Record<string, string> } }
	| { frame: [number, string] }
	| { response: [number, Record<string, string>, string] };

/** What the parser makes of `chunks`. */
function parse(...chunks: (string | Uint8Array)[]): Item[] {
	const items: Item[] = [];
	const parser = new RtspParser({
		onFrame: (channel, bytes, offset, length) =>
			void items.push({ frame: [channel, Buffer.from(bytes.subarray(offset, offset + length)).toString("latin1")] }),
		onRequest: ({ method, url, headers, body }) =>
			void items.push({ request: { method, url, body, headers: Object.fromEntries(headers) } }),
		onResponse: ({ status, headers, body }) =>
			void items.push({ response: [status, Object.fromEntries(headers), body] }),
	});
	for (const chunk of chunks) parser.push(typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk);
	return items;
}

function codeOf(...chunks: (string | Uint8Array)[]): string {
	try {
		parse(...chunks);
		return "accepted";
	} catch (error) {
		if (error instanceof ProtocolError) return error.code;
		throw error;
	}
}

const ANNOUNCE =
	"ANNOUNCE rtsp://h/cam RTSP/1.0\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
const CONVERSATION = `OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n$\x00\x00\x03abc${ANNOUNCE}$\x01\x00\x00RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 3\r\n\r\nv=0$\x02\x00\x02xy`;
const PARSED: Item[] = [
	{ request: { method: "OPTIONS", url: "rtsp://h/cam", body: "", headers: { cseq: "1" } } },
	{ frame: [0, "abc"] },
	{
		request: {
			method: "ANNOUNCE",
			url: "rtsp://h/cam",
			body: "v=0\r\n",
			headers: { cseq: "2", "content-type": "application/sdp", "content-length": "5" },
		},
	},
	{ frame: [1, ""] },
	{ response: [200, { cseq: "9", "content-length": "3" }, "v=0"] },
	{ frame: [2, "xy"] },
];

describe("taking an RTSP connection apart", () => {
	it("finds requests, responses and frames, wherever reads cut them", () => {
		expect(parse(CONVERSATION)).toEqual(PARSED);
		for (let cut = 1; cut < CONVERSATION.length; cut++)
			expect(parse(CONVERSATION.slice(0, cut), CONVERSATION.slice(cut)), `cut at ${cut}`).toEqual(PARSED);
		expect(parse(...CONVERSATION)).toEqual(PARSED);
	});

	it("waits for what is not whole yet, and never takes a part for the whole", () => {
		for (let length = 0; length < ANNOUNCE.length; length++)
			expect(parse(ANNOUNCE.slice(0, length)), `the first ${length}`).toEqual([]);
	});

	it.each([
		["bare line feeds", "OPTIONS * RTSP/1.0\nCSeq: 1\n\n", { cseq: "1" }],
		["empty lines before", "\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", { cseq: "1" }],
		["names in any case, spaces, no space", "options * RTSP/1.0\r\ncSEQ :  1 \r\nX:y\r\n\r\n", { cseq: "1", x: "y" }],
		["a folded line", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: a\r\n\tb\r\n\r\n", { cseq: "1", x: "a b" }],
		["a header that stands twice", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: a\r\nX: b\r\n\r\n", { cseq: "1", x: "a, b" }],
		["RTSP/2.0", "OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", { cseq: "1" }],
	])("understands %s", (_, text, headers) =>
		expect(parse(text)).toEqual([{ request: { method: "OPTIONS", url: "*", body: "", headers } }]),
	);

	it.each([
		["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "rtsp.malformed"],
		["no method", " rtsp://h RTSP/1.0\r\n\r\n", "rtsp.malformed"],
		["a header without a name", "OPTIONS * RTSP/1.0\r\n: 1\r\n\r\n", "rtsp.malformed"],
		["a header without a colon", "OPTIONS * RTSP/1.0\r\nCSeq\r\n\r\n", "rtsp.malformed"],
		["a length that is none", "OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n", "rtsp.malformed"],
		[
			"too many headers",
			`OPTIONS * RTSP/1.0\r\n${Array.from({ length: MAX_HEADERS + 1 }, (_, i) => `X${i}: 1\r\n`).join("")}\r\n`,
			"rtsp.malformed",
		],
		[
			"as many headers as may be",
			`OPTIONS * RTSP/1.0\r\n${Array.from({ length: MAX_HEADERS }, (_, i) => `X${i}: 1\r\n`).join("")}\r\n`,
			"accepted",
		],
		["a body that is too long", `OPTIONS * RTSP/1.0\r\nContent-Length: ${MAX_BODY_BYTES + 1}\r\n\r\n`, "bytes.limit"],
		[
			"a body as long as may be",
			`OPTIONS * RTSP/1.0\r\nContent-Length: ${MAX_BODY_BYTES}\r\n\r\n${"x".repeat(MAX_BODY_BYTES)}`,
			"accepted",
		],
		["a head without end", `OPTIONS ${"x".repeat(MAX_HEAD_BYTES)}`, "bytes.limit"],
	])("answers %s", (_, text, code) => expect(codeOf(text)).toBe(code));

	it("takes a head that comes byte by byte, and gives up where it becomes too long", () => {
		expect(codeOf(...`OPTIONS * RTSP/1.0\r\nX: ${"y".repeat(MAX_HEAD_BYTES - 100)}\r\n\r\n`)).toBe("accepted");
		expect(codeOf(...`OPTIONS * RTSP/1.0\r\nX: ${"y".repeat(MAX_HEAD_BYTES)}`)).toBe("bytes.limit");
	});
});

describe("writing a response", () => {
	it("keeps to one line what comes from elsewhere", () => {
		const text = Buffer.from(
			writeResponse({ status: 404, reason: "Nobody\r\nEvil: 1", headers: { A: "b\nC: d" }, body: "ä" }),
		).toString();
		expect(text).toBe("RTSP/1.0 404 Nobody??Evil: 1\r\nA: b?C: d\r\nContent-Length: 2\r\n\r\nä");
	});
});
