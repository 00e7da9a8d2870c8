import { describe, expect, it } from "vitest";
import { Base64Stream } from "./base64-stream.ts";

const text = (value: string) => Uint8Array.from(Buffer.from(value, "latin1"));

describe("a stream of base64", () => {
	// RFC 4648 §10.
	it.each([
		["", ""],
		["Zg==", "f"],
		["Zm8=", "fo"],
		["Zm9v", "foo"],
		["Zm9vYg==", "foob"],
		["Zm9vYmE=", "fooba"],
		["Zm9vYmFy", "foobar"],
	])("makes of %j what RFC 4648 says", (encoded, plain) => {
		expect(Buffer.from(new Base64Stream().push(text(encoded))).toString("latin1")).toBe(plain);
	});

	it("carries every byte, in messages of every length that are encoded one by one, cut at every place", () => {
		const messages = Array.from({ length: 8 }, (_, n) =>
			Uint8Array.from({ length: n }, (_, i) => (i * 89 + n * 41) & 0xff),
		);
		const all = Uint8Array.from({ length: 256 }, (_, i) => i);
		const plain = Buffer.concat([...messages, all]);
		const encoded = text([...messages, all].map((bytes) => Buffer.from(bytes).toString("base64")).join("\r\n"));
		for (let cut = 0; cut <= encoded.length; cut++) {
			const stream = new Base64Stream();
			const pieces = [encoded.subarray(0, cut), encoded.subarray(cut)].map((piece) => stream.push(piece));
			expect(Buffer.concat(pieces).equals(plain), `cut at ${cut}`).toBe(true);
		}
	});

	it("gives each byte as soon as its characters have come", () => {
		const stream = new Base64Stream();
		const lengths = [..."T1BUSU9OUw=="].map((char) => stream.push(text(char)).length);
		expect(lengths).toEqual([0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 1, 0]);
	});

	it.each(["Zm9*", "Z=", "Zm9vZ=", "Zm9v-_", "$\0\0"])("refuses %j", (encoded) => {
		expect(() => new Base64Stream().push(text(encoded))).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});
});
