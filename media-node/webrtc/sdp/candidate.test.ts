import { describe, expect, it } from "vitest";
import { candidateText, parseCandidate } from "./candidate.ts";

describe("a candidate of ICE", () => {
	it("is read with what its extensions say", () => {
		const text = "3890104654 1 tcp 1518285567 fd00::2 9 typ host tcptype active generation 0 ufrag abcd network-id 2";
		expect(parseCandidate(text)).toEqual({
			foundation: "3890104654",
			component: 1,
			protocol: "tcp",
			priority: 1_518_285_567,
			address: "fd00::2",
			port: 9,
			type: "host",
			tcpType: "active",
			ufrag: "abcd",
		});
	});

	it("is the same after it was written and read again", () => {
		const candidate = parseCandidate(
			"1 1 UDP 2130706431 4b9a1c1e-1d2e-4a3f-9e59-0f2a.local 39132 typ srflx raddr 0.0.0.0 rport 0",
		);
		expect(candidate).toMatchObject({ type: "srflx", tcpType: null });
		expect(candidate && parseCandidate(candidateText(candidate))).toEqual(candidate);
	});

	it.each([
		"",
		"1 1 udp 1 192.0.2.1 9",
		"1 0 udp 1 192.0.2.1 9 typ host",
		"1 1 sctp 1 192.0.2.1 9 typ host",
		"1 1 udp 0 192.0.2.1 9 typ host",
		"1 1 udp 4294967295 192.0.2.1 9 typ host",
		"1 1 udp 1 192.0.2.1 65536 typ host",
		"1 1 udp 1 192.0.2.1 9 typ magic",
		"1 1 tcp 1 192.0.2.1 9 typ host",
		"1 1 tcp 1 192.0.2.1 9 typ host tcptype lazy",
		`1 1 udp 1 192.0.2.1 9 typ host ${"x ".repeat(1000)}`,
		"1 1 udp 1 192.0.2.1\r\na=x 9 typ host",
	])("is nothing when it is malformed: %j", (text) => expect(parseCandidate(text)).toBeNull());
});
