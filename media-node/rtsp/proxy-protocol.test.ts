import { describe, expect, it } from "vitest";
import { isProxyHeader, MAX_V1_BYTES, MAX_V2_PAYLOAD_BYTES, parseProxyHeader } from "./proxy-protocol.ts";

const text = (value: string) => Uint8Array.from(Buffer.from(value, "latin1"));
/** doc/proxy-protocol.txt §2.2: the mark, version and command, family and transport, the length, the rest. */
const binary = (command: number, family: number, payload: readonly number[], length = payload.length) =>
	Uint8Array.from([...text("\r\n\r\n\0\r\nQUIT\n"), command, family, length >> 8, length & 0xff, ...payload]);
const V4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x21, 0x6a];
const V6 = [
	...[0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), 0x01],
	...[0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), 0x02],
	...[0xdc, 0x04, 0x21, 0x6a],
];
const MAPPED = [...new Array(10).fill(0), 255, 255, 192, 0, 2, 7, ...new Array(16).fill(0), 0, 80, 0, 81];

const VALID: readonly (readonly [
	name: string,
	header: Uint8Array,
	source: { address: string; port: number } | null,
])[] = [
	// The examples of §2.1.
	[
		"version 1, TCP4, of the largest size",
		text("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
		{ address: "255.255.255.255", port: 65535 },
	],
	[
		"version 1, TCP6",
		text("PROXY TCP6 2001:DB8:0:0::1 2001:db8::2 56324 8554\r\n"),
		{ address: "2001:db8::1", port: 56324 },
	],
	[
		"version 1, IPv4 behind IPv6",
		text("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 56324 8554\r\n"),
		{ address: "192.0.2.7", port: 56324 },
	],
	["version 1, UNKNOWN in short", text("PROXY UNKNOWN\r\n"), null],
	[
		"version 1, UNKNOWN at the limit of 107 bytes",
		text(`PROXY UNKNOWN ${"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ".repeat(2)}65535 65535\r\n`),
		null,
	],
	["version 2, TCP over IPv4", binary(0x21, 0x11, V4), { address: "192.0.2.7", port: 56324 }],
	["version 2, TCP over IPv6", binary(0x21, 0x21, V6), { address: "2001:db8::1", port: 56324 }],
	["version 2, IPv4 behind IPv6", binary(0x21, 0x21, MAPPED), { address: "192.0.2.7", port: 80 }],
	[
		"version 2 with TLVs behind the addresses",
		binary(0x21, 0x11, [...V4, 0x04, 0, 2, 0, 0]),
		{ address: "192.0.2.7", port: 56324 },
	],
	["version 2, LOCAL, whatever addresses it shows", binary(0x20, 0x11, V4), null],
	["version 2, LOCAL without addresses", binary(0x20, 0x00, []), null],
	["version 2, of an unspecified family", binary(0x21, 0x00, [1, 2, 3]), null],
	["version 2, of a Unix socket", binary(0x21, 0x31, new Array(216).fill(0x2f)), null],
	[
		"version 2 of the largest size",
		binary(0x21, 0x11, [...V4, ...new Array(MAX_V2_PAYLOAD_BYTES - 12).fill(0)]),
		{ address: "192.0.2.7", port: 56324 },
	],
];

describe("the PROXY header", () => {
	it.each(VALID)("of %s is read, and what follows it is left", (_, header, source) => {
		const bytes = Uint8Array.from([...header, ...text("OPTIONS * RTSP/1.0\r\n")]);
		expect(isProxyHeader(bytes)).toBe("yes");
		expect(parseProxyHeader(bytes)).toEqual({ bytes: header.length, source });
	});

	it.each(VALID)("of %s is not taken for whole, nor for anything else, wherever it is cut", (_, header) => {
		for (let length = 0; length < header.length; length++) {
			const cut = header.subarray(0, length);
			expect(isProxyHeader(cut), `${length} bytes`).not.toBe("no");
			expect(parseProxyHeader(cut), `${length} bytes`).toBeNull();
		}
	});

	it.each([
		["a line without CR", text("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n")],
		["an address of the other family", text("PROXY TCP4 ::1 ::1 1 2\r\n")],
		["an address that is none", text("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n")],
		["an address with a zone", text("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n")],
		["a port beyond 65535", text("PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n")],
		["a port that is not a number", text("PROXY TCP4 1.2.3.4 5.6.7.8 1 -2\r\n")],
		["no ports", text("PROXY TCP4 1.2.3.4 5.6.7.8\r\n")],
		["too many parts", text("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n")],
		["two spaces", text("PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n")],
		["an unknown family", text("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n")],
		["version 3", binary(0x31, 0x11, V4)],
		["an unknown command", binary(0x22, 0x11, V4)],
		["addresses that are cut", binary(0x21, 0x11, V4.slice(0, 11))],
		["IPv4 addresses for IPv6", binary(0x21, 0x21, V4)],
	])("with %s is refused", (_, header) => {
		expect(() => parseProxyHeader(header)).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});

	it("is refused as soon as it exceeds its limit", () => {
		const long = text(`PROXY UNKNOWN ${"x".repeat(200)}`);
		expect(parseProxyHeader(long.subarray(0, MAX_V1_BYTES - 1))).toBeNull();
		const limit = expect.objectContaining({ code: "bytes.limit" });
		expect(() => parseProxyHeader(long.subarray(0, MAX_V1_BYTES))).toThrow(limit);
		expect(() => parseProxyHeader(binary(0x21, 0x11, [], MAX_V2_PAYLOAD_BYTES + 1))).toThrow(limit);
	});

	it.each(["PLAY rtsp://h/a RTSP/1.0", "PROXYS", "GET / HTTP/1.1", "$", "\r\nOPTIONS"])("is told from %j", (other) =>
		expect(isProxyHeader(text(other))).toBe("no"),
	);
});
