import { describe, expect, it } from "vitest";
import { parseSessionHeader, parseTransportAnswer, writeTransportWish } from "./client-transport.ts";

const NOTHING = { isSecure: false, channels: null, serverPorts: null, ports: null, source: null, destination: null };

describe("the Transport header of a client", () => {
	it("asks for TCP, UDP or multicast", () => {
		expect(writeTransportWish({ protocol: "tcp", channels: [2, 3] })).toBe("RTP/AVP/TCP;unicast;interleaved=2-3");
		expect(writeTransportWish({ protocol: "udp", secure: false, clientPorts: [5000, 5001] })).toBe(
			"RTP/AVP;unicast;client_port=5000-5001",
		);
		expect(writeTransportWish({ protocol: "multicast", secure: false })).toBe("RTP/AVP;multicast");
	});

	it("asks for SRTP", () => {
		expect(writeTransportWish({ protocol: "udp", secure: true, clientPorts: [5000, 5001] })).toBe(
			"RTP/SAVP;unicast;client_port=5000-5001",
		);
		expect(writeTransportWish({ protocol: "multicast", secure: true })).toBe("RTP/SAVP;multicast");
	});

	it.each([
		// RFC 2326 §12.39 and §14.
		[
			"RTP/AVP;unicast;client_port=3056-3057;server_port=5000-5001",
			{ ...NOTHING, protocol: "udp", serverPorts: [5000, 5001] },
		],
		[
			"RTP/AVP;multicast;destination=225.219.201.15;port=7000-7001;ttl=16",
			{ ...NOTHING, protocol: "multicast", destination: "225.219.201.15", ports: [7000, 7001] },
		],
		["RTP/AVP/TCP;interleaved=0-1", { ...NOTHING, protocol: "tcp", channels: [0, 1] }],
		// What cameras write.
		["RTP/AVP;unicast;interleaved=4", { ...NOTHING, protocol: "tcp", channels: [4, 5] }],
		["rtp/avp/udp ; UNICAST; Server_Port = 6970", { ...NOTHING, protocol: "udp", serverPorts: [6970, 6971] }],
		["RTP/AVP;server_port=0-0;source=10.0.0.3", { ...NOTHING, protocol: "udp", source: "10.0.0.3" }],
		["RTP/AVP/TCP;interleaved=300-301", { ...NOTHING, protocol: "tcp" }],
		["RTP/SAVP/TCP", { ...NOTHING, protocol: "tcp", isSecure: true }],
		["RTP/AVP/TCP", { ...NOTHING, protocol: "tcp" }],
	])("reads %s", (header, answer) => {
		expect(parseTransportAnswer(header)).toEqual(answer);
	});

	it("knows what is none", () => {
		for (const header of ["", ";", "raw/raw/udp", "RTP"]) expect(parseTransportAnswer(header)).toBeNull();
	});
});

describe("the Session header of a server", () => {
	it("has an id, and perhaps a time-out", () => {
		expect(parseSessionHeader("12345678")).toEqual({ id: "12345678", timeoutS: null });
		expect(parseSessionHeader(" ab ; timeout=30 ")).toEqual({ id: "ab", timeoutS: 30 });
		expect(parseSessionHeader('ab;x=1;Timeout="90"')).toEqual({ id: "ab", timeoutS: 90 });
	});

	it("is not believed when its time-out is too short to live with, or not a number", () => {
		expect(parseSessionHeader("ab;timeout=0")?.timeoutS).toBe(5);
		expect(parseSessionHeader("ab;timeout=x")?.timeoutS).toBeNull();
	});

	it("may be missing", () => {
		expect([parseSessionHeader(undefined), parseSessionHeader(";timeout=60")]).toEqual([null, null]);
	});
});
