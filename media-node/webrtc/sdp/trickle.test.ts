import { describe, expect, it } from "vitest";
import { type IceFragment, isIceRestart, MAX_FRAGMENT_BYTES, parseIceFragment, writeIceFragment } from "./trickle.ts";

/** RFC 9725 §4.3.2, the body of the example of trickle ICE. */
const TRICKLE = [
	"a=group:BUNDLE 0 1",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111",
	"a=mid:0",
	"a=ice-ufrag:EsAw",
	"a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
	"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1",
	"a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2",
	"a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1",
	"a=end-of-candidates",
].join("\r\n");

describe("a fragment of ICE", () => {
	it("is read as the example of RFC 9725", () => {
		const fragment = parseIceFragment(TRICKLE);
		expect(fragment).toMatchObject({
			ice: { ufrag: "EsAw", pwd: "P2uYro0UCOQ4zxjKXaWCBui1" },
			section: { kind: "audio", mid: "0" },
			iceLite: false,
			endOfCandidates: true,
		});
		expect(fragment.candidates.map(({ protocol, port }) => [protocol, port])).toEqual([
			["udp", 61764],
			["udp", 61765],
			["tcp", 9],
		]);
	});

	it("is the same after it was written and read again", () => {
		const fragment: IceFragment = {
			...parseIceFragment(TRICKLE),
			iceLite: true,
			iceOptions: ["trickle", "ice2"],
			section: { kind: "video", mid: "v" },
		};
		expect(parseIceFragment(writeIceFragment(fragment))).toEqual(fragment);
		const none: IceFragment = { ...fragment, ice: null, section: null, candidates: [], endOfCandidates: false };
		expect(parseIceFragment(writeIceFragment(none))).toEqual(none);
	});

	it("asks for a restart with credentials that are not those of the session, and only then", () => {
		const fragment = parseIceFragment(TRICKLE);
		expect(isIceRestart(fragment, { ufrag: "EsAw", pwd: "P2uYro0UCOQ4zxjKXaWCBui1" })).toBe(false);
		expect(isIceRestart(fragment, { ufrag: "ysXw", pwd: "P2uYro0UCOQ4zxjKXaWCBui1" })).toBe(true);
		expect(isIceRestart(fragment, { ufrag: "EsAw", pwd: "vw5LmwG4y/e6dPP/zAP9Gp5k" })).toBe(true);
		expect(isIceRestart({ ...fragment, ice: null }, { ufrag: "a", pwd: "b" })).toBe(false);
	});

	it("leaves out candidates that it cannot use, that are of other credentials, and of further sections", () => {
		const fragment = parseIceFragment(
			"a=ice-ufrag:a\na=ice-pwd:b\nm=audio 9 RTP/AVP 0\na=mid:0\na=candidate:1 1 sctp 1 h 9 typ host\n" +
				"a=candidate:2 1 udp 1 192.0.2.1 9 typ host ufrag old\na=candidate:3 1 udp 1 192.0.2.1 9 typ host\n" +
				"m=video 9 RTP/AVP 0\na=mid:1\na=candidate:4 1 udp 1 192.0.2.1 9 typ host\n",
		);
		expect(fragment.candidates.map(({ foundation }) => foundation)).toEqual(["3"]);
		expect(fragment.section).toEqual({ kind: "audio", mid: "0" });
	});

	it.each([
		["nothing", ""],
		["what is no line", "{}"],
		["a user name without password", "a=ice-ufrag:abcd"],
		["credentials that differ", "a=ice-ufrag:a\na=ice-pwd:b\na=ice-ufrag:c"],
		["a password of other characters", "a=ice-ufrag:a\na=ice-pwd:b c"],
	])("is refused with %s", (_, text) => {
		expect(() => parseIceFragment(text)).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});

	it.each([
		["bytes", "a".repeat(MAX_FRAGMENT_BYTES + 1)],
		["lines", "a=x\n".repeat(600)],
		["candidates", "a=candidate:1 1 udp 1 1.1.1.1 9 typ host\n".repeat(100)],
		["sections", "m=audio\n".repeat(40)],
	])("is refused with too many %s", (_, text) => {
		expect(() => parseIceFragment(text)).toThrow(expect.objectContaining({ code: "bytes.limit" }));
	});

	it("can end anywhere without harm", () => {
		for (let length = 0; length < TRICKLE.length; length += 1) {
			try {
				parseIceFragment(TRICKLE.slice(0, length));
			} catch (error) {
				expect(error).toMatchObject({ code: "bytes.malformed" });
			}
		}
	});
});
