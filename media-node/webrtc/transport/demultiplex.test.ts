import { expect, it } from "vitest";
import { packetKind } from "./demultiplex.ts";

it("tells packets apart by their first byte, RTCP by the second (RFC 7983 §7, RFC 5761 §4)", () => {
	const kinds = Array.from({ length: 256 }, (_, first) => packetKind(Uint8Array.of(first, 96)));
	const run = (from: number, to: number) => new Set(kinds.slice(from, to + 1));
	expect(run(0, 3)).toEqual(new Set(["stun"]));
	expect(run(4, 19)).toEqual(new Set(["unknown"]));
	expect(run(20, 63)).toEqual(new Set(["dtls"]));
	expect(run(64, 127)).toEqual(new Set(["unknown"]));
	expect(run(128, 191)).toEqual(new Set(["rtp"]));
	expect(run(192, 255)).toEqual(new Set(["unknown"]));
	const types = Array.from({ length: 256 }, (_, type) => type).filter(
		(type) => packetKind(Uint8Array.of(0x80, type)) === "rtcp",
	);
	// Payload types 64-95, with and without the marker: 192-223 are those of RTCP.
	expect([types[0], types[31], types[32], types[63], types.length]).toEqual([64, 95, 192, 223, 64]);
	expect([packetKind(new Uint8Array(0)), packetKind(Uint8Array.of(0x80))]).toEqual(["unknown", "unknown"]);
});
