import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { packetsOf, unitsOf } from "../../../test/support/packetize.ts";
import { payloadLines } from "../../../test/support/rtp-lines.ts";
import { Av1Assembler } from "../depacketize/av1.ts";
import { UnitDepacketizer } from "../depacketize/unit-depacketizer.ts";
import { packetizeAv1 } from "./av1.ts";

const SEQUENCE = bytesOfHex("0800");
const KEY = bytesOfHex("3010aa");
const INTER = bytesOfHex("3030");

const linesOf = (obus: readonly Uint8Array[], max = 64) => payloadLines(packetizeAv1(obus, max));
const obuOf = (length: number, first = 0x30) => new Uint8Array(length).fill(7).fill(first, 0, 1);

describe("OBUs that fit", () => {
	test("go together, the last one without a length", () => {
		expect(linesOf([INTER])).toEqual(["m 103030"]);
		expect(linesOf([INTER, INTER, INTER])).toEqual(["m 30023030023030" + "3030"]);
	});

	test("are told by lengths alone when they are more than three", () => {
		expect(linesOf([INTER, INTER, INTER, INTER])).toEqual(["m 00023030023030023030023030"]);
	});

	test("say where a coded video sequence begins", () => {
		expect(linesOf([SEQUENCE, KEY])).toEqual(["m 280208003010aa"]);
		expect(linesOf([SEQUENCE, INTER])).toEqual(["m 200208003030"]);
	});

	test("are without temporal delimiters and empty ones", () => {
		expect(linesOf([bytesOfHex("1000"), new Uint8Array(0), INTER])).toEqual(["m 103030"]);
		expect(linesOf([bytesOfHex("10")])).toEqual([]);
	});

	test("share no packet when they are of several layers", () => {
		const [base, upper] = [bytesOfHex("340001"), bytesOfHex("340801")];
		expect(linesOf([SEQUENCE, base, base, upper])).toEqual(["30020800" + "03340001" + "340001", "m 10340801"]);
	});
});

test("an OBU that does not fit is fragmented, and what follows goes with its end", () => {
	const lines = packetizeAv1([SEQUENCE, obuOf(130), INTER], 64);
	// 64 bytes: the header, a length, the sequence header, and 60 of the frame.
	expect(lines.map(({ bytes, marker }) => [bytes[0], bytes.length, marker])).toEqual([
		[0x60, 64, false],
		[0xd0, 64, false],
		[0xa0, 1 + 1 + 7 + 2, true],
	]);
});

test("whatever sizes they are of, the OBUs come out again, and no payload is too large", () => {
	for (let size = 1; size < 200; size++) {
		const obus = [obuOf(2, 0x08), obuOf(size), obuOf(50), obuOf(13), obuOf(13), obuOf(size), obuOf(3)];
		for (const max of [64, 65, 66, 129, 200]) {
			for (const { bytes } of packetizeAv1(obus, max)) expect(bytes.length).toBeLessThanOrEqual(max);
			const packets = packetsOf(packetizeAv1, [{ frames: obus, rtpTime: 5 }], { maxPayloadBytes: max });
			const [unit] = unitsOf(new UnitDepacketizer(new Av1Assembler()), packets);
			expect(unit?.frames).toEqual(obus);
		}
	}
});
