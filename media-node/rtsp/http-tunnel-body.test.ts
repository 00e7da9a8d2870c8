import { describe, expect, it } from "vitest";
import { TunnelBody } from "./http-tunnel-body.ts";

const latin1 = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString("latin1"));
const NEXT = "POST /x HTTP/1.0\r\n";

/** What a body of `declared` bytes gives of the pieces. */
function read(declared: number | null, ...pieces: string[]) {
	const body = new TunnelBody(declared);
	return pieces.map((piece) => {
		const { text, next } = body.push(Buffer.from(piece, "latin1"));
		return [latin1(text), latin1(next)];
	});
}

describe("the body of a tunnel's POST", () => {
	it("ends where another POST begins behind the declared length, wherever the pieces are cut", () => {
		const whole = `T1BUSU9O${NEXT}`;
		for (let cut = 0; cut < 13; cut++) {
			const pieces = read(8, whole.slice(0, cut), whole.slice(cut));
			expect(pieces.map(([text]) => text).join(""), `cut at ${cut}`).toBe("T1BUSU9O");
			expect(pieces.at(-1)?.[1], `cut at ${cut}`).toBe(NEXT);
		}
	});

	it("goes on behind the declared length with whatever else follows, also what looks like a POST at first", () => {
		expect(read(4, "T1BU", "SU9O")).toEqual([
			["T1BU", null],
			["SU9O", null],
		]);
		expect(read(4, "T1BUPO", "STT1BU", NEXT)).toEqual([
			["T1BU", null],
			["POSTT1BU", null],
			[NEXT, null],
		]);
	});

	it("has no end before the declared length, nor without one", () => {
		expect(read(9, "T1BU", NEXT)[1]).toEqual([NEXT, null]);
		expect(read(null, "T1BU", NEXT)[1]).toEqual([NEXT, null]);
	});

	it("may be whole exactly at the declared length", () => {
		const body = new TunnelBody(4);
		const states = ["T1B", "U", "PO", "xx"].map((piece) => {
			body.push(Buffer.from(piece));
			return body.mayBeWhole;
		});
		expect(states).toEqual([false, true, false, false]);
	});
});
